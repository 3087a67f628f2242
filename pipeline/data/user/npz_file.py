"""`npz`: arrays in one NumPy file with the names of Keras's own data sets."""

from __future__ import annotations

import hashlib
import struct
import zipfile
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import IO, Any
from zipfile import ZipFile, ZipInfo

import numpy as np
from numpy.lib import format as npy
from numpy.typing import NDArray

from pipeline.data import large_arrays
from pipeline.data.examples import Source
from pipeline.data.user.array_splits import read_splits
from pipeline.data.user.location import locate
from pipeline.errors import DatasetError

_REQUIRED = ("x_train", "y_train", "x_test", "y_test")
_OPTIONAL = ("x_val", "y_val")
_LOCAL_HEADER = struct.Struct("<4s22xHH")  # signature, lengths of the name and of extra fields


def read(
    data_dir: Path,
    *,
    path: str,
    validation_share: float,
    split_seed: int,
    classes: Sequence[str] | None = None,
    task: str | None = None,
) -> Source:
    """Read `x_train`, `y_train`, `x_test`, `y_test` and optionally `x_val`, `y_val`.

    Members that are not compressed are memory-mapped.

    Args:
        data_dir: searched for data of the same name, to mention them if `path` does not exist.
        path: the file.
        validation_share: share of the training examples for validation, if the file has none.
        split_seed: decides which examples are held out.
        classes: class names in label order; None uses those found.
        task: the meaning of the labels, if it is given.

    Raises:
        DatasetError: when the file does not exist, is damaged or contains something else.
    """
    file = locate(path, data_dir)
    arrays = read_npz(file)
    missing = [name for name in _REQUIRED if name not in arrays]
    half = sum(name in arrays for name in _OPTIONAL) == 1
    if missing or half:
        found = ", ".join(arrays) or "nothing"
        expected = f"{', '.join(_REQUIRED)} and optionally {' and '.join(_OPTIONAL)}"
        raise DatasetError(f"{file} holds {found}: expected {expected}.")
    splits = {"train": (arrays["x_train"], arrays["y_train"])}
    splits["test"] = (arrays["x_test"], arrays["y_test"])
    if "x_val" in arrays:
        splits["validation"] = (arrays["x_val"], arrays["y_val"])
    return read_splits(
        splits,
        str(file),
        file.name,
        validation_share=validation_share,
        split_seed=split_seed,
        classes=classes,
        task=task,
        checksums={file.name: _sha256(file)},
    )


def read_npz(file: Path) -> Mapping[str, NDArray[Any]]:
    """Return the arrays of an `.npz` file by name; they are mapped unless they are compressed.

    Raises:
        DatasetError: when the file is damaged, or needs pickle.
    """
    try:
        with ZipFile(file) as archive:
            return {
                Path(member.filename).stem: _array(file, archive, member)
                for member in archive.infolist()
                if member.filename.endswith(".npy")
            }
    except (OSError, ValueError, EOFError, zipfile.BadZipFile, zipfile.LargeZipFile) as error:
        raise DatasetError(f"{file} cannot be read as .npz: {error}.") from error


def read_npy(file: Path) -> NDArray[Any]:
    """Return the array of an `.npy` file, mapped.

    Raises:
        DatasetError: when the file is damaged, or needs pickle.
    """
    try:
        return np.asarray(np.load(file, mmap_mode="r", allow_pickle=False))
    except (OSError, ValueError, EOFError) as error:
        raise DatasetError(f"{file} cannot be read as .npy: {error}.") from error


def _array(file: Path, archive: ZipFile, member: ZipInfo) -> NDArray[Any]:
    with archive.open(member) as stream:
        shape, in_columns, dtype = _header(stream)
        if dtype.hasobject:
            raise ValueError(f"{member.filename} holds Python objects, which need pickle")
        before = stream.tell()
        stored = member.compress_type == zipfile.ZIP_STORED
        if stored and 0 not in shape:
            start = _data_offset(file, member) + before
            order: Any = "F" if in_columns else "C"
            return np.asarray(np.memmap(file, dtype, "r", start, shape, order))
        return _unpacked(stream, shape, in_columns, dtype)


def _header(stream: IO[bytes]) -> tuple[tuple[int, ...], bool, np.dtype[Any]]:
    version = npy.read_magic(stream)
    if version == (1, 0):
        return npy.read_array_header_1_0(stream)
    return npy.read_array_header_2_0(stream)


def _data_offset(file: Path, member: ZipInfo) -> int:
    """Return where the bytes of a member begin, after its local header."""
    with file.open("rb") as opened:
        opened.seek(member.header_offset)
        signature, name, extra = _LOCAL_HEADER.unpack(opened.read(_LOCAL_HEADER.size))
    if signature != b"PK\x03\x04":
        raise ValueError(f"the header of {member.filename} is damaged")
    return member.header_offset + _LOCAL_HEADER.size + name + extra


def _unpacked(
    stream: IO[bytes], shape: tuple[int, ...], in_columns: bool, dtype: np.dtype[Any]
) -> NDArray[Any]:
    """Read an array in parts into memory, or past a size into a mapped file."""
    flat = large_arrays.empty((int(np.prod(shape, dtype=np.int64)),), dtype)
    for part in large_arrays.parts(len(flat), dtype.itemsize):
        size = (part.stop - part.start) * dtype.itemsize
        content = stream.read(size)
        if len(content) < size:
            raise EOFError("it is truncated")
        flat[part] = np.frombuffer(content, dtype)
    return flat.reshape(shape[::-1]).T if in_columns else flat.reshape(shape)


def _sha256(file: Path) -> str:
    with file.open("rb") as opened:
        return hashlib.file_digest(opened, "sha256").hexdigest()
