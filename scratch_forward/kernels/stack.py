"""Stages that follow one another on a group of examples, with the batch as last axis throughout.

A group passes through every stage before the next group starts, so that what one stage writes is
still in cache when the next one reads it.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Protocol

import numpy as np

from scratch_forward.kernels.pooling import Activation, Pool, pool_windows
from scratch_forward.kernels.scratch import Scratch

Lap = Callable[[int], None]  # told the number of each stage as it ends


class Stage(Protocol):
    """A function of (..., n) arrays, the batch as last axis."""

    def __call__(self, x: np.ndarray, scratch: Scratch) -> np.ndarray:
        """Compute the stage; the result may live in `scratch`, until the stage runs again."""
        ...


class Flat:
    """All axes before the batch as one: (..., n) to (features, n), in Keras' order of features."""

    def __call__(self, x: np.ndarray, scratch: Scratch) -> np.ndarray:
        """View x (..., n) as a matrix; rows, columns, channels is the order it has."""
        return x.reshape(-1, x.shape[-1])


@dataclass(frozen=True)
class DenseColumns:
    """activation(W^T x + b), with W (features, units), one example a column."""

    kernel: np.ndarray
    bias: np.ndarray | None
    activation: Activation = "linear"

    def __call__(self, x: np.ndarray, scratch: Scratch) -> np.ndarray:
        """Map x (features, n) to (units, n)."""
        out = np.matmul(self.kernel.T, x)
        if self.bias is not None:
            out += self.bias[:, None]
        return np.maximum(out, 0, out=out) if self.activation == "relu" else out


@dataclass(frozen=True)
class Pooling:
    """Non-overlapping pooling that no convolution could do on its way: (H, W, C, n) to fewer."""

    pool: Pool

    def __call__(self, x: np.ndarray, scratch: Scratch) -> np.ndarray:
        """Map x (H, W, C, n) to (H / high, W / wide, C, n)."""
        (high, wide), (height, width, *rest) = self.pool.size, x.shape
        shape = (height // high, width // wide, *rest)
        out = scratch.array(("out", id(self)), shape, x.dtype)
        pool_windows(x, self.pool, out)
        return out


@dataclass(frozen=True)
class Elementwise:
    """A function of each element by itself."""

    function: Callable[[np.ndarray], np.ndarray]

    def __call__(self, x: np.ndarray, scratch: Scratch) -> np.ndarray:
        """Map x to an array of the same shape."""
        return self.function(x)


@dataclass(frozen=True)
class ScaleShift:
    """x scale + shift, per channel: (..., C, n) to the same."""

    scale: np.ndarray  # (C,)
    shift: np.ndarray  # (C,)

    def __call__(self, x: np.ndarray, scratch: Scratch) -> np.ndarray:
        """Map x (..., C, n)."""
        return x * self.scale[:, None] + self.shift[:, None]


def run_stack(
    stages: Sequence[Stage], images: np.ndarray, scratch: Scratch, lap: Lap = lambda _: None
) -> np.ndarray:
    """Pass a group of images (n, H, W, C) through the stages; return the last one's, (n, ...)."""
    x = np.moveaxis(images, 0, -1)
    for number, stage in enumerate(stages):
        x = stage(x, scratch)
        lap(number)
    return np.moveaxis(x, -1, 0).copy()  # x may be in a buffer that the next group uses
