"""Damaged archives: whatever is wrong with a file, loading it says so in one of two ways."""

import copy
import io
import json
import random
import resource
import time
import zipfile
from pathlib import Path
from typing import Any

import numpy as np
import pytest

import scratch_forward as sf
from tests.scratch_forward import archives

SECONDS = 2.0
MEGABYTES = 200

VALUES: list[Any] = [
    *(None, True, False, 0, 1, -1, 2, 7, 10**6, 10**30, 0.5, -0.0, 1e308, "", "a", "relu", "same"),
    *([], [0], [1, 2], [[1]], {}, {"class_name": "Dense", "config": {}}, ["dense", 0, 0]),
    *({"class_name": "function", "config": "relu"}, {"class_name": "__numpy__", "config": {}}),
    {"class_name": "__keras_tensor__", "config": {"keras_history": ["x", 0, 0]}},
]


def _tensor(name: str) -> dict[str, Any]:
    return {"class_name": "__keras_tensor__", "config": {"keras_history": [name, 0, 0]}}


def _node(*names: str) -> list[dict[str, Any]]:
    args = [_tensor(names[0])] if len(names) == 1 else [[_tensor(name) for name in names]]
    return [{"args": args, "kwargs": {"training": False}}]


def _functional() -> dict[str, Any]:
    layers = [
        archives.entry("InputLayer", {"batch_shape": [None, 4, 2], "name": "x"}),
        archives.entry("LSTM", {"units": 2, "return_sequences": True, "name": "a"}),
        archives.entry(
            "Conv1D",
            {
                "filters": 2,
                "kernel_size": [2],
                "padding": "same",
                "strides": [1],
                "dilation_rate": [1],
                "name": "b",
            },
        ),
        archives.entry("Add", {"name": "c"}),
        archives.entry(
            "Normalization", {"axis": [-1], "mean": [0.0, 1.0], "variance": [1.0, 1.0], "name": "d"}
        ),
        archives.entry(
            "Bidirectional",
            {
                "merge_mode": "sum",
                "name": "e",
                "layer": archives.entry("GRU", {"units": 2, "name": "f"}),
            },
        ),
        archives.entry("Reshape", {"target_shape": [-1, 1], "name": "g"}),
    ]
    calls = [[], _node("x"), _node("x"), _node("a", "b"), _node("c"), _node("d"), _node("e")]
    for layer, nodes in zip(layers, calls, strict=True):
        layer["name"], layer["inbound_nodes"] = layer["config"]["name"], nodes
    config = {
        "name": "m",
        "layers": layers,
        "input_layers": [["x", 0, 0]],
        "output_layers": [["g", 0, 0]],
    }
    return {"module": "keras", "class_name": "Functional", "config": config}


def _weights() -> dict[str, np.ndarray]:
    shapes = {
        "layers/lstm/cell": [(2, 8), (2, 8), (8,)],
        "layers/conv1d": [(2, 2, 2), (2,)],
        "layers/bidirectional/forward_layer/cell": [(2, 6), (2, 6), (2, 6)],
        "layers/bidirectional/backward_layer/cell": [(2, 6), (2, 6), (2, 6)],
    }
    return {
        f"{path}/vars/{index}": np.ones(shape, np.float32)
        for path, sizes in shapes.items()
        for index, shape in enumerate(sizes)
    }


MEMBERS = {
    "config.json": json.dumps(_functional()),
    "model.weights.h5": archives.weights(_weights()),
    "metadata.json": "{}",
}


def _places(value: Any) -> list[tuple[Any, Any]]:
    """List all (container, key) in a JSON value."""
    items = value.items() if isinstance(value, dict) else enumerate(value)
    found = []
    for key, item in items:
        found.append((value, key))
        if isinstance(item, dict | list):
            found += _places(item)
    return found


def damaged_config(draw: random.Random) -> bytes:
    """Return the configuration with one to three values replaced, removed or swapped."""
    config = copy.deepcopy(json.loads(MEMBERS["config.json"]))
    for _ in range(draw.randint(1, 3)):
        container, key = draw.choice(_places(config))
        if draw.random() < 0.2:
            del container[key]
        elif draw.random() < 0.2:
            other, other_key = draw.choice(_places(config))
            container[key] = copy.deepcopy(other[other_key])
        else:
            container[key] = copy.deepcopy(draw.choice(VALUES))
        if not config:
            break
    return json.dumps(config).encode()


def damaged_bytes(content: bytes, draw: random.Random) -> bytes:
    """Return bytes with some flipped, cut, repeated or set to extremes."""
    data = bytearray(content)
    for _ in range(draw.choice([1, 1, 2, 8, 64])):
        at = draw.randrange(len(data))
        kind = draw.randrange(4)
        if kind == 0:
            data[at] ^= 1 << draw.randrange(8)
        elif kind == 1:
            data[at : at + 8] = draw.choice([b"\0", b"\xff", b"\x7f"]) * 8
        elif kind == 2:
            data[at : at + draw.randint(1, 64)] = b""
        else:
            data[at:at] = data[at : at + draw.randint(1, 64)]
        if not data:
            break
    return bytes(data)


def damaged_archive(draw: random.Random) -> bytes:
    """Return an archive damaged in its configuration, its weights, or as a zip file."""
    members = dict(MEMBERS)
    kind = draw.randrange(4)
    if kind <= 1:
        members["config.json"] = damaged_config(draw)
    elif kind == 2:
        members["model.weights.h5"] = damaged_bytes(members["model.weights.h5"], draw)
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w") as archive:
        for name, content in members.items():
            archive.writestr(name, content)
    return damaged_bytes(buffer.getvalue(), draw) if kind == 3 else buffer.getvalue()


def fuzz(count: int, seed: int, path: Path) -> dict[str, int]:
    """Load damaged archives; any exception but the two, slowness or greed fails the test."""
    outcomes: dict[str, int] = {}
    before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    for index in range(count):
        draw = random.Random(f"{seed} {index}")
        path.write_bytes(damaged_archive(draw))
        start = time.perf_counter()
        try:
            sf.load(path)
            outcome = "loaded"
        except (sf.ArchiveError, sf.UnsupportedModelError) as error:
            outcome = type(error).__name__
        except BaseException as error:
            raise AssertionError(f"archive {index} of seed {seed}") from error
        assert time.perf_counter() - start < SECONDS, f"archive {index} of seed {seed}"
        outcomes[outcome] = outcomes.get(outcome, 0) + 1
    grown = (resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - before) / 1024
    assert grown < MEGABYTES, f"{grown:.0f} MB"
    return outcomes


def test_the_archive_is_sound_before_it_is_damaged(tmp_path) -> None:
    model = sf.load(archives.write(tmp_path / "m.keras", MEMBERS))
    assert model.predict(np.ones((2, 4, 2))).shape == (2, 2, 1)


def test_damaged_archives_are_refused_in_one_sentence(tmp_path) -> None:
    outcomes = fuzz(2_000, seed=1, path=tmp_path / "m.keras")
    assert min(outcomes.values()) > 50  # all three outcomes are reached


@pytest.mark.slow
def test_many_damaged_archives_are_refused_in_one_sentence(tmp_path) -> None:
    fuzz(25_000, seed=2, path=tmp_path / "m.keras")
