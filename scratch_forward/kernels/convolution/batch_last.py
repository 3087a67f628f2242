"""Stages in a row for groups of examples, with the batch as the last axis throughout.

A group passes through all stages before the next group starts. The output of one stage is then
still in cache when the next stage reads it.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Protocol, Self

import numpy as np

from scratch_forward.kernels.convolution.convolution2d import Convolution
from scratch_forward.kernels.convolution.fused_pooling import (
    Activation,
    Ending,
    Pool,
    pooling_calls,
)
from scratch_forward.kernels.runtime.workspace import Workspace

CACHE_LINE = 16  # float32 elements; rows of whole cache lines keep vector loads within a line

SUMMED = 1 << 17  # elements of a sum that are computed at a time

Lap = Callable[[int], None]  # called with the number of each stage when it ends


class Stage(Protocol):
    """A function of arrays (..., n), with the batch as the last axis."""

    def __call__(
        self, x: np.ndarray, workspace: Workspace, out: np.ndarray | None = None
    ) -> np.ndarray:
        """Compute the stage. The result is `out` if given, else it may be a buffer of `workspace`.

        `out` is given where the next stage is a convolution, for images.
        """
        ...


class Flat:
    """Flattens all axes before the batch, (..., n) to (features, n), in the order of Keras."""

    def __call__(
        self, x: np.ndarray, workspace: Workspace, out: np.ndarray | None = None
    ) -> np.ndarray:
        """View x (..., n) as a matrix. Its axes already are rows, columns, channels."""
        return x.reshape(-1, x.shape[-1])


@dataclass(frozen=True)
class BatchLastDense:
    """activation(W^T x + b), with W (features, units) and x (features, n)."""

    weights: np.ndarray  # (units, features)
    ending: Ending

    @classmethod
    def prepare(
        cls, kernel: np.ndarray, bias: np.ndarray | None, activation: Activation = "linear"
    ) -> Self:
        """Transpose a kernel (features, units)."""
        ending = Ending.of(bias, activation, kernel.shape[1], 1, kernel.dtype)
        return cls(np.ascontiguousarray(kernel.T), ending)

    def __call__(
        self, x: np.ndarray, workspace: Workspace, out: np.ndarray | None = None
    ) -> np.ndarray:
        """Map x (features, n) to (units, n)."""
        y = np.matmul(self.weights, x)
        for call in self.ending.calls(y, y):
            call()
        return y


@dataclass(frozen=True)
class Pooling:
    """Non-overlapping pooling that is not fused into a convolution, for x (H, W, C, n)."""

    pool: Pool

    def __call__(
        self, x: np.ndarray, workspace: Workspace, out: np.ndarray | None = None
    ) -> np.ndarray:
        """Map x (H, W, C, n) to (H / high, W / wide, C, n)."""
        (high, wide), (height, width, *rest) = self.pool.size, x.shape
        shape = (height // high, width // wide, *rest)
        out = workspace.array(("out", id(self)), shape, x.dtype) if out is None else out
        for call in pooling_calls(x, self.pool, out):
            call()
        return out


@dataclass(frozen=True)
class Elementwise:
    """A function applied to each element."""

    function: Callable[[np.ndarray], np.ndarray]

    def __call__(
        self, x: np.ndarray, workspace: Workspace, out: np.ndarray | None = None
    ) -> np.ndarray:
        """Map x to an array of the same shape."""
        return _into(out, self.function(x))


@dataclass(frozen=True)
class Every:
    """Every so many rows and columns, which is all that a 1x1 convolution with strides reads."""

    strides: tuple[int, int]

    def __call__(
        self, x: np.ndarray, workspace: Workspace, out: np.ndarray | None = None
    ) -> np.ndarray:
        """View some pixels of x (H, W, C, n)."""
        down, right = self.strides
        return x[::down, ::right]


@dataclass(frozen=True)
class Sum:
    """The sum of several arrays of the same shape, (H, W, C, n), and ReLU if wanted."""

    relu: bool

    def __call__(
        self, parts: Sequence[np.ndarray], workspace: Workspace, out: np.ndarray | None = None
    ) -> np.ndarray:
        """Add the arrays, a few rows at a time, so that they stay in cache for ReLU."""
        first, *others = parts
        out = workspace.array(("out", id(self)), first.shape, first.dtype) if out is None else out
        zero, step = np.zeros((), first.dtype), max(SUMMED // first[0].size, 1)
        for start in range(0, len(first), step):
            rows = slice(start, start + step)
            total, done = first[rows], out[rows]
            for other in others:
                total = np.add(total, other[rows], done)
            if self.relu:
                np.maximum(total, zero, out=done)
        return out


@dataclass(frozen=True)
class Both:
    """Two stages in a row."""

    first: Stage
    second: Stage

    def __call__(
        self, x: np.ndarray, workspace: Workspace, out: np.ndarray | None = None
    ) -> np.ndarray:
        """Apply both stages to x (..., n)."""
        return self.second(self.first(x, workspace), workspace, out)

    def inlet(self, examples: int, dtype: np.dtype, workspace: Workspace) -> np.ndarray | None:
        """Return the array from which the first stage reads its input, or None if it has none."""
        return inlet_of(self.first, examples, dtype, workspace)


@dataclass(frozen=True)
class ScaleShift:
    """x * scale + shift per channel. The shape (..., C, n) does not change."""

    scale: np.ndarray  # (C,)
    shift: np.ndarray  # (C,)

    def __call__(
        self, x: np.ndarray, workspace: Workspace, out: np.ndarray | None = None
    ) -> np.ndarray:
        """Map x (..., C, n) to the same shape."""
        return _into(out, x * self.scale[:, None] + self.shift[:, None])


def _into(out: np.ndarray | None, result: np.ndarray) -> np.ndarray:
    if out is None:
        return result
    out[...] = result
    return out


def inlet_of(
    stage: Stage, examples: int, dtype: np.dtype, workspace: Workspace
) -> np.ndarray | None:
    """Return the array from which a stage reads its input without a copy, or None for any array."""
    if isinstance(stage, Convolution | Both):
        return stage.inlet(examples, dtype, workspace)
    return None


def run_stack(
    stages: Sequence[Stage], images: np.ndarray, workspace: Workspace, lap: Lap = lambda _: None
) -> np.ndarray:
    """Pass images (n, H, W, C) through the stages. Returns the output of the last, (n, ...).

    Each stage writes its output to where the next one reads its input.
    """
    count = len(images)
    padded = padded_count(count)

    def inlet(number: int) -> np.ndarray | None:
        if number == len(stages):
            return None
        return inlet_of(stages[number], padded, images.dtype, workspace)

    x = batch_last(images, inlet(0), workspace)
    for number, stage in enumerate(stages):
        x = stage(x, workspace, inlet(number + 1))
        lap(number)
    return batch_first(x, count)


def padded_count(examples: int) -> int:
    """Return a number of examples that fills whole cache lines."""
    return -(-examples // CACHE_LINE) * CACHE_LINE


def batch_last(images: np.ndarray, out: np.ndarray | None, workspace: Workspace) -> np.ndarray:
    """Copy images (n, H, W, C) to (H, W, C, n), with zeros up to whole cache lines."""
    count = len(images)
    if out is None:
        shape = (*images.shape[1:], padded_count(count))
        out = workspace.array("images", shape, images.dtype)
    out[..., :count] = np.moveaxis(_staggered(images, workspace), 0, -1)
    out[..., count:] = 0
    return out


def batch_first(x: np.ndarray, count: int) -> np.ndarray:
    """Copy the first examples of (..., n) to (count, ...). The next group reuses the buffers."""
    return np.moveaxis(x[..., :count], -1, 0).copy()


def _staggered(images: np.ndarray, workspace: Workspace) -> np.ndarray:
    """Copy images (n, H, W, C) so that the same pixel of each maps to a different cache set.

    If the size of an image is a multiple of 4 KiB, the same pixels of all images compete for a few
    cache sets when they are read side by side. Transposing 32x32x3 images took five times longer.
    """
    size = images[0].size
    rows = workspace.array("staggered", (len(images), size + CACHE_LINE), images.dtype)[:, :size]
    rows[...] = images.reshape(len(images), size)
    return rows.reshape(images.shape)
