"""Fuzzing of the archive loader guided by coverage: a program, `test_guided_fuzz.py` runs it.

    python -m tests.support.guided_fuzz CORPUS -runs=1000 -seed=1

An archive that makes loading run a line of `scratch_forward` for the first time is kept in the
corpus, a directory, and damaged further: damage adds up.
"""

import inspect
import io
import json
import random
import sys
import tempfile
import zipfile
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import atheris
import numpy as np

with atheris.instrument_imports(include=["scratch_forward"]):
    from scratch_forward.layers import LAYERS
    from scratch_forward.layers.operations import OPERATIONS
    from tests.support import archives, damage

CONFIG, WEIGHTS = "config.json", "model.weights.h5"


def corpus() -> Iterator[dict[str, Any]]:
    """Yield the members of sound archives: every way through the loader begins at one of them."""
    yield archives.dense_members()
    yield damage.MEMBERS
    text = archives.entry("TextVectorization", {"name": "text_vectorization"})
    yield archives.dense_members(
        **{CONFIG: json.dumps(archives.sequential(text, shape=(None,)))},
        **{"assets/layers/text_vectorization/vocabulary.txt": "a\nb"},
    )
    cells = [archives.entry(cell, {"units": 2}) for cell in ("LSTMCell", "SimpleRNNCell")]
    stacked = archives.entry("RNN", {"cell": archives.entry("StackedRNNCells", {"cells": cells})})
    sizes = {"lstm_cell": [(2, 8), (2, 8), (8,)], "simple_rnn_cell": [(2, 2), (2, 2), (2,)]}
    arrays = {
        f"layers/rnn/cell/cells/{cell}/vars/{index}": np.ones(shape, np.float32)
        for cell, shapes in sizes.items()
        for index, shape in enumerate(shapes)
    }
    config = json.dumps(archives.sequential(stacked, shape=(None, 4, 2)))
    yield {CONFIG: config, WEIGHTS: archives.weights(arrays)}
    yield archives.dense_members(**{CONFIG: json.dumps(archives.operation("ExpandDims", axis=1))})


def unpacked(archive: bytes) -> dict[str, bytes]:
    """Read the members of a zip file; none if it is not one."""
    try:
        with zipfile.ZipFile(io.BytesIO(archive)) as file:
            return {name: file.read(name) for name in file.namelist()}
    except Exception:  # zipfile raises many kinds
        return {}


def damaged(archive: bytes, largest: int, seed: int) -> bytes:
    """Return an archive with one member damaged, so that it is still a zip file; rarely as one."""
    draw = random.Random(seed)
    if draw.random() < 0.25:  # most that coverage keeps are refused early; these are not
        archive = draw.choice(SOUND)
    members = unpacked(archive)
    if not members or draw.random() < 0.05:
        return atheris.Mutate(archive, largest)
    name = draw.choice([CONFIG] * 8 + [WEIGHTS] + sorted(members))
    content = members.get(name, b"")
    structured = name == CONFIG and draw.random() < 0.9
    members[name] = reconfigured(content, draw) if structured else atheris.Mutate(content, 1 << 14)
    return archives.packed(members)


def reconfigured(text: bytes, draw: random.Random) -> bytes:
    """Return a configuration with values replaced, or another class or option in some entry."""
    try:
        config = json.loads(text)
    except ValueError:
        return atheris.Mutate(text, 1 << 14)
    entries = [value[key] for value, key in damage.places([config]) if is_entry(value[key])]
    if not entries or draw.random() < 0.3:
        return damage.damaged_config(text, draw)
    entry = draw.choice(entries)
    if draw.random() < 0.2:
        entry["class_name"] = draw.choice([*LAYERS, *OPERATIONS, "Functional", "Sequential"])
    option, default = draw.choice(options_of(entry["class_name"]))
    like_it = [value for value in damage.VALUES if type(value) is type(default)]
    entry["config"][option] = draw.choice(draw.choice([like_it or damage.VALUES, damage.VALUES]))
    return json.dumps(config).encode()


def options_of(class_name: str) -> list[tuple[str, Any]]:
    """List the options of a layer with their defaults, or those of an operation."""
    if class_name not in LAYERS:
        return [("axis", 0), ("dtype", ""), ("layers", [])]
    parameters = inspect.signature(LAYERS[class_name]).parameters.values()
    return [(parameter.name, parameter.default) for parameter in parameters]


def is_entry(value: Any) -> bool:
    """Whether a JSON value describes a layer."""
    return (
        isinstance(value, dict)
        and isinstance(value.get("class_name"), str)
        and isinstance(value.get("config"), dict)
    )


SOUND = [archives.packed(members) for members in corpus()]


def main() -> None:
    """Write the sound archives to the corpus, then fuzz as libFuzzer's options say."""
    for number, archive in enumerate(SOUND):
        Path(sys.argv[1], f"sound_{number}").write_bytes(archive)
    loader = damage.Loader()
    with tempfile.TemporaryDirectory() as directory:
        path = Path(directory, "m.keras")

        def load(archive: bytes) -> None:
            path.write_bytes(archive)
            loader.load(path)

        atheris.Setup(sys.argv, load, custom_mutator=damaged)
        atheris.Fuzz()


if __name__ == "__main__":
    main()
