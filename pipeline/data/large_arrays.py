"""Arrays that need not fit in memory: past a size they are on disk, mapped into memory."""

import os
import tempfile
from collections.abc import Iterator
from typing import Any

import numpy as np
from numpy.typing import DTypeLike, NDArray

from pipeline.errors import DatasetError

LARGE = 2**30  # bytes of an array that is kept in memory at most
AT_ONCE = 2**22  # bytes of a mapped array that are read at once


def empty(shape: tuple[int, ...], dtype: DTypeLike) -> NDArray[Any]:
    """Return an array without values, in memory, or past `LARGE` bytes in a temporary file.

    The file has no name and disappears with the array. Its space is reserved at once, because a
    write to a mapped file on a full disk would kill the process.

    Raises:
        DatasetError: when the disk has no room for it.
    """
    size = int(np.prod(shape, dtype=np.int64)) * np.dtype(dtype).itemsize
    if size <= LARGE:
        return np.empty(shape, dtype)
    try:
        with tempfile.TemporaryFile() as file:
            os.posix_fallocate(file.fileno(), 0, size)
            return np.memmap(file, dtype, "r+", shape=shape)
    except OSError as error:
        raise DatasetError(
            f"{size / 2**30:,.1f} GiB of arrays do not fit in {tempfile.gettempdir()} "
            f"({error.strerror}): TMPDIR sets another folder."
        ) from error


def parts(length: int, row_bytes: int) -> Iterator[slice]:
    """Yield slices that cover `length` rows, each of about `AT_ONCE` bytes."""
    rows = max(1, AT_ONCE // max(1, row_bytes))
    for first in range(0, length, rows):
        yield slice(first, min(first + rows, length))
