"""Raw examples from `.npy` and `.npz` files, for `pipeline.predict`."""

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np

from pipeline.data.user.npz_file import read_npy, read_npz
from pipeline.settings import SettingsError

SUFFIXES = (".npy", ".npz")


def are_array_files(words: Sequence[str]) -> bool:
    """Return whether all words name NumPy files."""
    return all(Path(word).suffix.lower() in SUFFIXES for word in words)


def read_examples(words: Sequence[str], inputs: Sequence[str] | None) -> tuple[list[str], Any]:
    """Read the examples of all files, one file after the other.

    Args:
        words: paths of `.npy` or `.npz` files.
        inputs: the names of a model's several inputs, which are the arrays of an `.npz` file; None
            for one input.

    Returns:
        The place of each example, such as `rows.npy[3]`, and the examples: an array `(N, ...)`, or
        a dict of them.

    Raises:
        SettingsError: when a file is of another kind, or lacks an array.
        DatasetError: when a file cannot be read.
    """
    if not are_array_files(words):
        other = next(word for word in words if not are_array_files([word]))
        raise SettingsError([f"This model reads arrays: expected .npy or .npz files, got {other}."])
    found = [_of_file(Path(word), inputs) for word in words]
    places = [
        f"{word}[{number}]"
        for word, one in zip(words, found, strict=True)
        for number in range(_count(word, one))
    ]
    try:
        if inputs is None:
            return places, np.concatenate(found)
        return places, {name: np.concatenate([one[name] for one in found]) for name in inputs}
    except ValueError as error:
        raise SettingsError([f"The files hold arrays of different shapes: {error}."]) from error


def _of_file(path: Path, inputs: Sequence[str] | None) -> Any:
    if path.suffix.lower() == ".npy" and inputs is None:
        return read_npy(path)
    arrays = read_npz(path) if path.suffix.lower() == ".npz" else {}
    if inputs is not None and set(inputs) <= set(arrays):
        return {name: arrays[name] for name in inputs}
    if inputs is None and len(arrays) == 1:
        return next(iter(arrays.values()))
    wanted = "one array" if inputs is None else f"the arrays {', '.join(inputs)}"
    found = ", ".join(arrays) or "no named arrays"
    raise SettingsError([f"{path} holds {found}: expected {wanted}."])


def _count(word: str, one: Any) -> int:
    """Return the number of examples in a file, which all of its arrays have."""
    arrays = list(one.values()) if isinstance(one, Mapping) else [one]
    counts = {array.shape[0] if array.ndim else 0 for array in arrays}
    if len(counts) > 1 or counts == {0}:
        shapes = ", ".join(str(array.shape) for array in arrays)
        raise SettingsError(
            [f"{word} holds arrays of shape {shapes}: expected as many examples in each."]
        )
    return counts.pop()
