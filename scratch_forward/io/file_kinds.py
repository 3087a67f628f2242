"""Detection of common file types that are not Keras models, with advice for each."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import PurePosixPath

HDF5 = b"\x89HDF\r\n\x1a\n"
ZIP = b"PK\x03\x04"

_EXPORT = "load it where it was made, and save it by `model.save('model.keras')`"
_BEGINNINGS = (
    (b"version https://git-lfs", "a Git LFS pointer, not the file itself: run `git lfs pull`"),
    (b"<!doctype html", "an HTML page: the download returned a page instead of the file"),
    (b"<html", "an HTML page: the download returned a page instead of the file"),
    (b"\x1f\x8b", "compressed by gzip: unpack it first"),
    (b"\x80\x02", f"a Python pickle, which is never read since it runs code: {_EXPORT}"),
    (b"\x80\x03", f"a Python pickle, which is never read since it runs code: {_EXPORT}"),
    (b"\x80\x04", f"a Python pickle, which is never read since it runs code: {_EXPORT}"),
    (b"\x80\x05", f"a Python pickle, which is never read since it runs code: {_EXPORT}"),
    (b"\x93NUMPY", "a NumPy array, not a model"),
    (b"{", "JSON, possibly an architecture without weights"),
)


def looks_like(content: bytes) -> str:
    """Describe the type of a file that is not a Keras model, or return an empty string."""
    beginning = content[:64].lstrip().lower()
    if content[4:8] == b"TFL3":
        return f"a TensorFlow Lite model, which cannot be converted back: {_EXPORT}"
    for start, meaning in _BEGINNINGS:
        if beginning.startswith(start.lower()):
            return meaning
    if b"onnx" in content[:256].lower() or (content[:1] == b"\x08" and b"\x12" in content[1:4]):
        return f"an ONNX model: {_EXPORT}"
    return "" if content else "empty"


def not_a_model(names: Sequence[str]) -> str:
    """Describe a folder or zip file that is not a Keras model, or return an empty string."""
    parts = {PurePosixPath(name).name for name in names}
    if {"saved_model.pb", "keras_metadata.pb"} & parts:
        return f" It looks like a TensorFlow SavedModel: {_EXPORT}."
    if "model.weights.npz" in parts:
        return " Its weights are a .npz, which needs pickle: save it with HDF5 weights."
    if "data.pkl" in parts:
        return " It looks like a PyTorch file."
    if any(name.endswith(".npy") for name in parts):
        return " It looks like NumPy arrays (.npz), not a model."
    return ""
