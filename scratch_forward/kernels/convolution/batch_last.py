"""Stages that follow one another on a group of examples, with the batch as last axis throughout.

A group passes through every stage before the next group starts, so that what one stage writes is
still in cache when the next one reads it.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Protocol, Self

import numpy as np

from scratch_forward.kernels.convolution.convolution2d import Convolution
from scratch_forward.kernels.convolution.fused_pooling import (
    Activation,
    Pool,
    activate,
    pool_windows,
)
from scratch_forward.kernels.runtime.matmul import multiply
from scratch_forward.kernels.runtime.workspace import Workspace

CACHE_LINE = 16  # float32 numbers: with rows of whole lines, no vector straddles two of them

LARGEST_BLOCK, LEAST_BLOCK = 256, 48  # features of a dense layer in one product

Lap = Callable[[int], None]  # told the number of each stage as it ends


class Stage(Protocol):
    """A function of (..., n) arrays, the batch as last axis."""

    def __call__(
        self, x: np.ndarray, workspace: Workspace, out: np.ndarray | None = None
    ) -> np.ndarray:
        """Compute the stage, into `out` if given; else the result may live in `workspace`.

        `out` is given where a convolution is next, for images.
        """
        ...


class Flat:
    """All axes before the batch as one: (..., n) to (features, n), in Keras' order of features."""

    def __call__(
        self, x: np.ndarray, workspace: Workspace, out: np.ndarray | None = None
    ) -> np.ndarray:
        """View x (..., n) as a matrix; rows, columns, channels is the order it has."""
        return x.reshape(-1, x.shape[-1])


@dataclass(frozen=True)
class BatchLastDense:
    """activation(W^T x + b), with W (features, units), one example a column.

    As the sum of products of blocks of features: small ones, which BLAS takes as they lie.
    """

    weights: np.ndarray  # (blocks, units, features / blocks)
    bias: np.ndarray | None
    activation: Activation = "linear"

    @classmethod
    def prepare(
        cls, kernel: np.ndarray, bias: np.ndarray | None, activation: Activation = "linear"
    ) -> Self:
        """Cut a kernel (features, units) into blocks of equal size, if any is suitable."""
        features, units = kernel.shape
        sizes = (size for size in range(LARGEST_BLOCK, LEAST_BLOCK, -1) if features % size == 0)
        blocks = kernel.reshape(-1, next(sizes, features), units).swapaxes(1, 2)
        return cls(np.ascontiguousarray(blocks), bias, activation)

    def __call__(
        self, x: np.ndarray, workspace: Workspace, out: np.ndarray | None = None
    ) -> np.ndarray:
        """Map x (features, n) to (units, n)."""
        (blocks, units, size), columns = self.weights.shape, x.shape[1]
        partial = workspace.array("partial", (blocks, units, columns), x.dtype)
        y = np.add.reduce(multiply(self.weights, x.reshape(blocks, size, columns), partial), axis=0)
        bias = None if self.bias is None else self.bias[:, None]
        activate(y, bias, self.activation, y)
        return y


@dataclass(frozen=True)
class Pooling:
    """Non-overlapping pooling that no convolution could do on its way: (H, W, C, n) to fewer."""

    pool: Pool

    def __call__(
        self, x: np.ndarray, workspace: Workspace, out: np.ndarray | None = None
    ) -> np.ndarray:
        """Map x (H, W, C, n) to (H / high, W / wide, C, n)."""
        (high, wide), (height, width, *rest) = self.pool.size, x.shape
        shape = (height // high, width // wide, *rest)
        out = workspace.array(("out", id(self)), shape, x.dtype) if out is None else out
        pool_windows(x, self.pool, out)
        return out


@dataclass(frozen=True)
class Elementwise:
    """A function of each element by itself."""

    function: Callable[[np.ndarray], np.ndarray]

    def __call__(
        self, x: np.ndarray, workspace: Workspace, out: np.ndarray | None = None
    ) -> np.ndarray:
        """Map x to an array of the same shape."""
        return _into(out, self.function(x))


@dataclass(frozen=True)
class Both:
    """One stage, then another."""

    first: Stage
    second: Stage

    def __call__(
        self, x: np.ndarray, workspace: Workspace, out: np.ndarray | None = None
    ) -> np.ndarray:
        """Map x (..., n) by both."""
        return self.second(self.first(x, workspace), workspace, out)

    def inlet(self, examples: int, dtype: np.dtype, workspace: Workspace) -> np.ndarray | None:
        """Return where the first one wants its input, if anywhere."""
        return inlet_of(self.first, examples, dtype, workspace)


@dataclass(frozen=True)
class ScaleShift:
    """x scale + shift, per channel: (..., C, n) to the same."""

    scale: np.ndarray  # (C,)
    shift: np.ndarray  # (C,)

    def __call__(
        self, x: np.ndarray, workspace: Workspace, out: np.ndarray | None = None
    ) -> np.ndarray:
        """Map x (..., C, n)."""
        return _into(out, x * self.scale[:, None] + self.shift[:, None])


def _into(out: np.ndarray | None, result: np.ndarray) -> np.ndarray:
    if out is None:
        return result
    out[...] = result
    return out


def inlet_of(
    stage: Stage, examples: int, dtype: np.dtype, workspace: Workspace
) -> np.ndarray | None:
    """Return the array in which a stage need not copy its input any more; None for any array."""
    if isinstance(stage, Convolution | Both):
        return stage.inlet(examples, dtype, workspace)
    return None


def run_stack(
    stages: Sequence[Stage], images: np.ndarray, workspace: Workspace, lap: Lap = lambda _: None
) -> np.ndarray:
    """Pass a group of images (n, H, W, C) through the stages; return the last one's, (n, ...).

    Each stage writes to where the next one wants its input.
    """
    count = len(images)
    padded = -(-count // CACHE_LINE) * CACHE_LINE

    def inlet(number: int) -> np.ndarray | None:
        if number == len(stages):
            return None
        return inlet_of(stages[number], padded, images.dtype, workspace)

    x = inlet(0)
    if x is None:
        x = workspace.array("images", (*images.shape[1:], padded), images.dtype)
    x[..., :count] = np.moveaxis(_staggered(images, workspace), 0, -1)
    x[..., count:] = 0
    for number, stage in enumerate(stages):
        x = stage(x, workspace, inlet(number + 1))
        lap(number)
    return np.moveaxis(x[..., :count], -1, 0).copy()  # the next group uses the buffers again


def _staggered(images: np.ndarray, workspace: Workspace) -> np.ndarray:
    """Copy images (n, H, W, C) to where the same cell of each is in another set of the cache.

    Images of a multiple of 4 KiB push each other out of a few sets when they are read side by side:
    turning 32x32x3 around was five times slower.
    """
    size = images[0].size
    rows = workspace.array("staggered", (len(images), size + CACHE_LINE), images.dtype)[:, :size]
    rows[...] = images.reshape(len(images), size)
    return rows.reshape(images.shape)
