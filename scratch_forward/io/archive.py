"""Model files: `.keras` archives, unzipped ones, and `.weights.h5`, read without trusting them.

Nothing in a file is executed or imported. Weights are looked up at the paths that the model's own
layers imply, never the other way round, and each is checked for kind, type and shape before it is
read.
"""

from __future__ import annotations

import io
import json
import re
import zipfile
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path, PurePosixPath
from typing import Any, TypeVar

import h5py
import numpy as np

from scratch_forward.errors import ArchiveError
from scratch_forward.io.limits import Limits
from scratch_forward.layers.base import Array, Layer

CONFIG = "config.json"
WEIGHTS = "model.weights.h5"
METADATA = "metadata.json"
ASSETS = "assets/"

Content = TypeVar("Content")

_ENCRYPTED = 0x1
_BRACKETS = re.compile(rb'"(?:[^"\\]|\\.)*"|[\[{]|[\]}]', re.DOTALL)
_FLOATS = ("float16", "float32", "float64")
_INTEGERS = ("int32", "int64", "uint8", "int8")


@dataclass(frozen=True)
class Archive:
    """What an archive holds.

    Attributes:
        config: `config.json`, parsed.
        weights: `model.weights.h5`, as bytes.
        read_asset: Returns a text file by its path below `assets/`.
    """

    config: dict[str, Any]
    weights: bytes
    read_asset: Callable[[str], str]


def read_archive(path: str | Path, limits: Limits) -> Archive:
    """Read a `.keras` file, or the directory that it unpacks to.

    Raises:
        ArchiveError: If it is malformed or asks for more than the limits allow.
    """
    source = Path(path)
    if source.is_dir():
        return _from_members(lambda name, most: _file_bytes(source / name, name, most), limits)
    if not source.is_file():
        raise ArchiveError(f"There is no file {str(source)!r}.")
    content = _file_bytes(source, source.name, limits.archive_bytes)
    archive = _readable(lambda: zipfile.ZipFile(io.BytesIO(content)), source.name)
    _check_members(archive, len(content), limits)

    def member(name: str, most: int) -> bytes:
        if name not in archive.NameToInfo:
            raise ArchiveError(f"The archive has no {name!r}.")
        size = archive.NameToInfo[name].file_size
        if size > most:
            raise ArchiveError(f"{name!r} has {size:,} bytes; the limit is {most:,}.")
        return _readable(lambda: archive.read(name), source.name)

    return _from_members(member, limits)


def _readable(read: Callable[[], Content], name: str) -> Content:
    """Return what a step of reading a zip file returns.

    Raises:
        ArchiveError: If it fails, in whichever of its many ways.
    """
    try:
        return read()
    except Exception as error:
        raise ArchiveError(f"{name!r} is not a readable .keras archive: {error}") from error


def _from_members(member: Callable[[str, int], bytes], limits: Limits) -> Archive:
    """Assemble an archive from a function that reads its files by name."""

    def asset(name: str) -> str:
        try:
            return member(ASSETS + name, limits.asset_bytes).decode("utf-8")
        except UnicodeDecodeError as error:
            raise ArchiveError(f"{ASSETS + name!r} is not UTF-8 text.") from error

    config = parse_config(member(CONFIG, limits.config_bytes), limits)
    return Archive(config, member(WEIGHTS, limits.member_bytes), asset)


def _file_bytes(path: Path, name: str, most: int) -> bytes:
    """Read a file no larger than `most` bytes."""
    if not path.is_file() or path.is_symlink():
        raise ArchiveError(f"There is no file {name!r}.")
    if path.stat().st_size > most:
        raise ArchiveError(f"{name!r} has {path.stat().st_size:,} bytes; the limit is {most:,}.")
    return path.read_bytes()


def _check_members(archive: zipfile.ZipFile, size: int, limits: Limits) -> None:
    """Check names, kinds and stated sizes of all members before any is unpacked.

    Raises:
        ArchiveError: For the first that is not allowed.
    """
    members = archive.infolist()
    if len(members) > limits.members:
        raise ArchiveError(f"The archive has {len(members)} files; the limit is {limits.members}.")
    names = [info.filename for info in members]
    for info in members:
        if names.count(info.filename) > 1:
            raise ArchiveError(f"The archive holds {info.filename!r} twice.")
        if info.flag_bits & _ENCRYPTED:
            raise ArchiveError(f"The archive holds {info.filename!r} encrypted.")
        if not _allowed(info.filename):
            raise ArchiveError(f"The archive holds {info.filename!r}, which is not allowed.")
        if info.file_size > limits.member_bytes:
            raise ArchiveError(
                f"{info.filename!r} has {info.file_size:,} bytes; "
                f"the limit is {limits.member_bytes:,}."
            )
    unpacked = sum(info.file_size for info in members)
    if unpacked > limits.expansion_ratio * size:
        raise ArchiveError(
            f"The archive unpacks to {unpacked / size:.0f} times its size; "
            f"the limit is {limits.expansion_ratio:g}."
        )


def _allowed(name: str) -> bool:
    """Say whether a member may stand in an archive: the three files, and text under `assets/`."""
    if name in (CONFIG, WEIGHTS, METADATA):
        return True
    path = PurePosixPath(name)
    harmless = "\\" not in name and "\0" not in name and ".." not in path.parts
    return harmless and name.startswith(ASSETS) and (name.endswith("/") or path.suffix == ".txt")


def parse_config(text: bytes, limits: Limits) -> dict[str, Any]:
    """Parse `config.json`.

    Raises:
        ArchiveError: If it is not JSON, nests too deeply, or has NaN, infinity or a key twice.
    """
    depth = deepest = 0
    for match in _BRACKETS.finditer(text):
        depth += {b"[": 1, b"{": 1, b"]": -1, b"}": -1}.get(match.group(), 0)
        deepest = max(deepest, depth)
    if deepest > limits.config_depth:
        raise ArchiveError(f"{CONFIG!r} nests {deepest} deep; the limit is {limits.config_depth}.")
    try:
        config = json.loads(text, parse_constant=_refuse_constant, object_pairs_hook=_unique)
    except (ValueError, RecursionError) as error:
        raise ArchiveError(f"{CONFIG!r} is not valid JSON: {error}") from error
    if not isinstance(config, dict):
        raise ArchiveError(f"{CONFIG!r} does not hold an object.")
    return config


def _refuse_constant(name: str) -> None:
    raise ValueError(f"{name} is not a JSON number")


def _unique(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    found = dict(pairs)
    if len(found) != len(pairs):
        raise ValueError("an object has the same key twice")
    return found


def read_weights(path: str | Path, model: Layer, limits: Limits) -> None:
    """Set a model's weights from a `.weights.h5` or `.keras` file.

    Raises:
        ArchiveError: If the file is malformed or its weights are not those of the model.
    """
    source = Path(path)
    if source.is_dir() or source.suffix == ".keras":
        assign_weights(read_archive(source, limits).weights, model)
    elif source.name.endswith(".weights.h5"):
        assign_weights(_file_bytes(source, source.name, limits.archive_bytes), model)
    else:
        raise ArchiveError(f"Expected a .keras or .weights.h5 file, got {source.name!r}.")


def assign_weights(content: bytes, model: Layer) -> None:
    """Set a built model's weights from the bytes of a weights file, all or none.

    Raises:
        ArchiveError: If the file is malformed or its weights are not those of the model.
    """
    try:
        with h5py.File(io.BytesIO(content), "r") as file:
            found = [(layer, _own_weights(file, path, layer)) for path, layer in model.walk()]
    except ArchiveError:
        raise
    except Exception as error:  # h5py raises many kinds on malformed files
        raise ArchiveError(f"The weights are not a readable HDF5 file: {error}") from error
    for layer, weights in found:
        layer.set_own_weights(weights)


def _own_weights(file: h5py.File, path: str, layer: Layer) -> dict[str, Array]:
    """Read the weights of one layer from its group."""
    shapes = layer.own_weight_shapes()
    if not shapes:
        return {}
    group = _follow(file, f"{path}/vars" if path else "vars", h5py.Group)
    if len(group) != len(shapes):
        raise ArchiveError(f"{path!r} holds {len(group)} weights; the model has {len(shapes)}.")
    return {
        name: _array(_follow(group, str(index), h5py.Dataset), f"{path}/vars/{index}", shape)
        for index, (name, shape) in enumerate(shapes.items())
    }


def _follow(group: Any, path: str, kind: type) -> Any:
    """Go down a path by hard links only.

    Raises:
        ArchiveError: If a part is missing, a link elsewhere, or the end of another kind.
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


def _array(dataset: h5py.Dataset, path: str, shape: tuple[int, ...]) -> Array:
    """Read one weight after checking how it is stored, its type and its shape."""
    if dataset.shape != shape:
        raise ArchiveError(f"{path!r} has shape {dataset.shape}; the model has {shape}.")
    if dataset.is_virtual or dataset.external:
        raise ArchiveError(f"{path!r} keeps its data outside the file.")
    if dataset.id.get_create_plist().get_nfilters():
        raise ArchiveError(f"{path!r} is compressed, which Keras never does.")
    name = str(dataset.attrs.get("dtype", "")) if dataset.dtype.kind == "V" else ""
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
    """Widen bfloat16, the upper half of a float32, to float32."""
    upper = np.frombuffer(raw.tobytes(), np.uint16).astype(np.uint32)
    return (upper << 16).view(np.float32).reshape(raw.shape)
