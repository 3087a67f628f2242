"""Buffers that are allocated once and used again for every group of a batch."""

import threading
from typing import Any

import numpy as np

LINE = 64  # bytes of a cache line


class Workspace:
    """Named work arrays of one thread.

    A fresh large array costs the system a page fault for every 4 KiB of it, often more than the
    arithmetic that fills it. Contents are whatever the last user left.
    """

    def __init__(self) -> None:
        self._buffers: dict[Any, np.ndarray] = {}
        self._framed: dict[Any, np.ndarray] = {}

    def array(self, name: Any, shape: tuple[int, ...], dtype: np.dtype) -> np.ndarray:
        """Return the array called `name`, contiguous, uninitialised, of this shape and dtype."""
        size = int(np.prod(shape))
        buffer = self._buffers.get(name)
        if buffer is None or buffer.size < size or buffer.dtype != dtype:
            buffer = self._buffers[name] = _aligned(size, dtype)
        return buffer[:size].reshape(shape)

    def framed(self, name: Any, shape: tuple[int, ...], dtype: np.dtype) -> np.ndarray:
        """Return the array called `name`, zeros at first; the same as before while its shape is.

        For users that write to its inside only and count on zeros around it.
        """
        array = self._framed.get(name)
        if array is None or array.shape != shape or array.dtype != dtype:
            array = self._framed[name] = _aligned(int(np.prod(shape)), dtype).reshape(shape)
            array[...] = 0
        return array


def _aligned(size: int, dtype: np.dtype) -> np.ndarray:
    """Allocate an array that begins at a cache line, where vectors are loaded fastest."""
    spare = np.empty(size + LINE // dtype.itemsize, dtype)
    start = -spare.ctypes.data % LINE // dtype.itemsize
    return spare[start : start + size]


class WorkspacePerThread(threading.local):
    """A `Workspace` for each thread that asks; all are released with this object."""

    def __init__(self) -> None:
        self.workspace = Workspace()
