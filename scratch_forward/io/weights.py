"""Weights from HDF5 files, at the paths that the layers of a model imply.

The kind, dtype, shape and stored size of each weight are checked before it is read.
"""

from __future__ import annotations

import io
from collections.abc import Callable, Sequence
from contextlib import ExitStack
from typing import Any, TypeVar

import h5py
import numpy as np

from scratch_forward.errors import ArchiveError
from scratch_forward.io.attribute_texts import AttributeTexts
from scratch_forward.layers.base import Array, Layer

Weights = dict[str, Array]
Result = TypeVar("Result")

_OLD_LAYERS = "_layer_checkpoint_dependencies"  # "layers" in files of Keras 2.12 and 2.13
_FLOATS = ("float16", "float32", "float64")
_INTEGERS = ("int32", "int64", "uint8", "int8")


def assign_weights(content: bytes, model: Layer) -> None:
    """Load weights into a built model from the bytes of a weights file. Sets all weights or none.

    Raises:
        ArchiveError: If the file is malformed or its weights do not match the model.
    """
    texts = AttributeTexts(content)

    def read(file: h5py.File) -> list[tuple[Layer, Weights]]:
        return [(layer, _own_weights([file], path, layer, texts)) for path, layer in model.walk()]

    assign(hdf5(content, read))


def assign_sharded_weights(shards: Sequence[bytes], model: Layer) -> None:
    """Load weights into a built model from several weights files. Sets all weights or none.

    Raises:
        ArchiveError: If a file is malformed or the weights do not match the model.
    """
    texts = AttributeTexts(*shards)

    def read(*files: h5py.File) -> list[tuple[Layer, Weights]]:
        return [(layer, _own_weights(files, path, layer, texts)) for path, layer in model.walk()]

    assign(hdf5_of_all(shards, read))


def stored_array(content: bytes, path: str) -> Array:
    """Return the array at a path in a weights file. The file has at least as many bytes.

    Raises:
        ArchiveError: If the file is malformed or has no such array.
    """

    def read(file: h5py.File) -> Array:
        dataset = follow(file, path, h5py.Dataset)
        return read_array(dataset, path, dataset.shape, AttributeTexts(content))

    return hdf5(content, read)


def assign(found: list[tuple[Layer, Weights]]) -> None:
    """Set weights that were read before. Called only when all of them could be read."""
    for layer, weights in found:
        layer.set_own_weights(weights)


def hdf5(content: bytes, read: Callable[[h5py.File], Result]) -> Result:
    """Open the bytes of an HDF5 file and return the result of `read`.

    Raises:
        ArchiveError: If the file is malformed.
    """
    return hdf5_of_all([content], read)


def hdf5_of_all(contents: Sequence[bytes], read: Callable[..., Result]) -> Result:
    """Open the bytes of several HDF5 files and return the result of `read`.

    Raises:
        ArchiveError: If one of them is malformed.
    """
    try:
        with ExitStack() as opened:
            files = [opened.enter_context(h5py.File(io.BytesIO(c), "r")) for c in contents]
            return read(*files)
    except ArchiveError:
        raise
    except Exception as error:  # h5py raises many kinds of exceptions on malformed files
        raise ArchiveError(f"The weights are not a readable HDF5 file: {error}") from error


def _own_weights(
    files: Sequence[h5py.File], path: str, layer: Layer, texts: AttributeTexts
) -> Weights:
    """Read the weights of one layer from its group, which may be split over several files."""
    shapes = layer.own_weight_shapes()
    if not shapes:
        return {}
    if _OLD_LAYERS in files[0]:
        path = path.replace("layers", _OLD_LAYERS)
    path = _as_stored(files, path)
    place = f"{path}/vars" if path else "vars"
    groups = [follow(file, place, h5py.Group) for file in files if len(files) == 1 or place in file]
    held = sum(map(len, groups))
    if not groups:
        raise ArchiveError(f"The weights files have no {place!r}.")
    if held != len(shapes):
        raise ArchiveError(f"{path!r} holds {held} weights; the model has {len(shapes)}.")

    def dataset(index: int) -> h5py.Dataset:
        group = next((group for group in groups if str(index) in group), groups[0])
        return follow(group, str(index), h5py.Dataset)

    return {
        name: read_array(dataset(index), f"{path}/vars/{index}", shape, texts)
        for index, (name, shape) in enumerate(shapes.items())
    }


def _as_stored(files: Sequence[h5py.File], path: str) -> str:
    """Return the path of a layer in the files.

    Early versions of Keras 3 store the projections of attention under private names, such as
    `_query_dense` instead of `query_dense`.
    """
    parent, _, name = path.rpartition("/")
    private = f"{parent}/_{name}"
    known = any(path in file for file in files)
    return private if not known and any(private in file for file in files) else path


def follow(group: Any, path: str, kind: type) -> Any:
    """Return the object at a path, following hard links only.

    Raises:
        ArchiveError: If a part is missing, is another kind of link, or the object is not of `kind`.
    """
    here = group
    for part in path.split("/"):
        link = here.get(part, getlink=True) if isinstance(here, h5py.Group) else None
        if link is None:
            raise ArchiveError(f"The weights file has no {path!r}.")
        if not isinstance(link, h5py.HardLink):
            raise ArchiveError(f"The weights file has a link to elsewhere at {path!r}.")
        here = here[part]
    if not isinstance(here, kind):
        raise ArchiveError(f"The weights file has no {kind.__name__.lower()} at {path!r}.")
    return here


def read_array(
    dataset: h5py.Dataset, path: str, shape: tuple[int, ...], texts: AttributeTexts
) -> Array:
    """Read one weight, after checking its storage, dtype and shape."""
    if dataset.shape != shape:
        raise ArchiveError(f"{path!r} has shape {dataset.shape}; the model has {shape}.")
    if dataset.is_virtual or dataset.external:
        raise ArchiveError(f"{path!r} keeps its data outside the file.")
    if dataset.id.get_create_plist().get_nfilters():
        raise ArchiveError(f"{path!r} is compressed, which Keras never does.")
    if dataset.id.get_storage_size() < dataset.nbytes:
        raise ArchiveError(f"{path!r} has no data for its shape {shape}.")
    name = str(texts.read(dataset, "dtype") or "") if dataset.dtype.kind == "V" else ""
    if name == "bfloat16" and dataset.dtype.itemsize == 2:
        array = _from_bfloat16(dataset[()])
    elif dataset.dtype.name in (*_FLOATS, *_INTEGERS):
        array = np.asarray(dataset[()])
    else:
        raise ArchiveError(f"{path!r} has data type {name or dataset.dtype}, not a float.")
    if not np.isfinite(array).all():
        raise ArchiveError(f"{path!r} holds NaN or infinity.")
    return array


def _from_bfloat16(raw: Any) -> Array:
    """Convert bfloat16, the upper half of a float32, to float32."""
    upper = np.frombuffer(raw.tobytes(), np.uint16).astype(np.uint32)
    return (upper << 16).view(np.float32).reshape(raw.shape)
