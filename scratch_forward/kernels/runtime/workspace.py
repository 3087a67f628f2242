"""Buffers that are allocated once and reused for every group of a batch."""

import math
import threading
from collections.abc import Callable, Sequence
from typing import Any

import numpy as np

LINE = 64  # bytes of a cache line
KEPT = 1 << 25  # bytes of freed memory that glibc may keep


class Workspace:
    """Named work arrays of one thread.

    A new large array costs a page fault per 4 KiB, which often takes longer than the arithmetic
    that fills it. The arrays are not cleared between uses.
    """

    def __init__(self) -> None:
        self._buffers: dict[Any, np.ndarray] = {}
        self._framed: dict[Any, np.ndarray] = {}
        self._kept: dict[Any, tuple[list[dict[str, Any]], Any]] = {}

    def array(self, name: Any, shape: tuple[int, ...], dtype: np.dtype) -> np.ndarray:
        """Return the contiguous, uninitialized array `name` with this shape and dtype."""
        size = math.prod(shape)
        buffer = self._buffers.get(name)
        if buffer is None or buffer.size < size or buffer.dtype != dtype:
            buffer = self._buffers[name] = _aligned(size, dtype)
        return buffer[:size].reshape(shape)

    def framed(self, name: Any, shape: tuple[int, ...], dtype: np.dtype) -> np.ndarray:
        """Return the array `name`, initially zeros. It is kept until its shape or dtype changes.

        Callers write to its interior only and rely on the zeros around it.
        """
        array = self._framed.get(name)
        if array is None or array.shape != shape or array.dtype != dtype:
            array = self._framed[name] = _aligned(math.prod(shape), dtype).reshape(shape)
            array[...] = 0
        return array

    def kept(self, name: Any, make: Callable[[], Any], views: Sequence[np.ndarray] = ()) -> Any:
        """Return the object `name`, made once per thread, and again if it views other arrays.

        Making the views of a convolution's blocks takes longer than computing some of them.
        """
        places = [array.__array_interface__ for array in views]
        found = self._kept.get(name)
        if found is None or found[0] != places:
            found = self._kept[name] = places, make()
        return found[1]


def keep_freed_memory() -> None:
    """Make glibc keep up to 32 MiB of freed memory for the next arrays.

    It does so after a large array has been freed. Otherwise new arrays of a few hundred KiB get new
    pages from the system each time, which took a third of the time of a transformer.
    """
    np.empty(KEPT // 2, np.uint8)


def _aligned(size: int, dtype: np.dtype) -> np.ndarray:
    """Allocate an array that starts at a cache line, where vector loads are fastest."""
    spare = np.empty(size + LINE // dtype.itemsize, dtype)
    start = -spare.ctypes.data % LINE // dtype.itemsize
    return spare[start : start + size]


class WorkspacePerThread(threading.local):
    """One `Workspace` per thread. All are released with this object."""

    def __init__(self) -> None:
        self.workspace = Workspace()
