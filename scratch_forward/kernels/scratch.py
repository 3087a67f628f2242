"""Buffers that are allocated once and used again for every group of a batch."""

import threading
from typing import Any

import numpy as np


class Scratch:
    """Named work arrays of one thread.

    A fresh large array costs the system a page fault for every 4 KiB of it, often more than the
    arithmetic that fills it. Contents are whatever the last user left.
    """

    def __init__(self) -> None:
        self._buffers: dict[Any, np.ndarray] = {}

    def array(self, name: Any, shape: tuple[int, ...], dtype: np.dtype) -> np.ndarray:
        """Return the array called `name`, contiguous, uninitialised, of this shape and dtype."""
        size = int(np.prod(shape))
        buffer = self._buffers.get(name)
        if buffer is None or buffer.size < size or buffer.dtype != dtype:
            buffer = self._buffers[name] = np.empty(size, dtype)
        return buffer[:size].reshape(shape)


class ScratchPerThread(threading.local):
    """A `Scratch` for each thread that asks; all are released with this object."""

    def __init__(self) -> None:
        self.scratch = Scratch()
