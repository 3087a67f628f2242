"""Reading of npz files (`numpy.savez`) as untrusted input: no pickle, every size is checked."""

from __future__ import annotations

import io
import math
import zipfile
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from scratch_forward.errors import ArchiveError
from scratch_forward.io.limits import MEGABYTE

ARRAYS_BYTES = 64 * MEGABYTE
ARRAYS = 10_000

_SUFFIX = ".npy"
_HEADERS = {
    (1, 0): np.lib.format.read_array_header_1_0,
    (2, 0): np.lib.format.read_array_header_2_0,
}


def read_arrays(
    source: Path | bytes, name: str, most_bytes: int = ARRAYS_BYTES
) -> dict[str, NDArray[Any]]:
    """Read all arrays of an npz file, after checking the size that each header states.

    Args:
        source: The file, or its content.
        name: Name of the file in error messages.
        most_bytes: Limit on the size of the file in bytes. The arrays together may not be larger
            than the file, as in a file without compression.

    Returns:
        The arrays by name.

    Raises:
        ArchiveError: If the file does not exist, is damaged or exceeds a limit.
    """
    try:
        content = source if isinstance(source, bytes) else _content(source, most_bytes)
        with zipfile.ZipFile(io.BytesIO(content)) as archive:
            members = archive.infolist()
            _check_sizes(members, len(content))
            return {one.filename.removesuffix(_SUFFIX): _array(archive, one) for one in members}
    except Exception as error:  # damaged files raise about ten kinds of exceptions
        reason = str(error) or type(error).__name__
        raise ArchiveError(f"{name} cannot be read: {reason.splitlines()[0]}") from error


def _content(path: Path, most_bytes: int) -> bytes:
    if not path.is_file():
        raise ValueError("there is no such file")
    if path.stat().st_size > most_bytes:
        raise ValueError(f"it has {path.stat().st_size:,} bytes; the limit is {most_bytes:,}")
    return path.read_bytes()


def _check_sizes(members: list[zipfile.ZipInfo], stored: int) -> None:
    if len(members) > ARRAYS:
        raise ValueError(f"it holds {len(members):,} arrays; the limit is {ARRAYS:,}")
    if len({one.filename for one in members}) < len(members):
        raise ValueError("it holds two arrays of one name")
    total = sum(one.file_size for one in members)
    if total > stored:
        raise ValueError(f"its {stored:,} bytes unpack to {total:,}")


def _array(archive: zipfile.ZipFile, member: zipfile.ZipInfo) -> NDArray[Any]:
    """Read one array, after checking its header against the number of stored bytes."""
    stored = io.BytesIO(archive.read(member))  # the checksum of the zip format covers it
    version = np.lib.format.read_magic(stored)
    if version not in _HEADERS:
        raise ValueError(f"{member.filename} is of an unknown version")
    shape, in_columns, dtype = _HEADERS[version](stored)
    data = stored.getbuffer()[stored.tell() :]
    if dtype.hasobject or dtype.names or dtype.subdtype or not dtype.itemsize:
        raise ValueError(f"{member.filename} holds {dtype}, not numbers or text")
    if any(size < 0 for size in shape) or math.prod(shape) * dtype.itemsize != len(data):
        raise ValueError(f"{member.filename} holds {len(data):,} bytes, not {dtype} of {shape}")
    array = np.frombuffer(data, dtype).reshape(shape, order="F" if in_columns else "C")
    return array.copy()
