"""2-D convolution, prepared once for a kernel and image size and run on groups of examples.

Arrays have the batch as the *last* axis, (H, W, C, n), so n numbers are contiguous in memory. Every
step is then a long loop or a matrix product with n columns, however few channels there are.
"""

import math
from collections.abc import Callable, Iterator
from contextlib import nullcontext
from dataclasses import dataclass
from functools import cached_property, partial
from typing import Self, TypeGuard

import numpy as np

from scratch_forward.kernels.convolution.depthwise import Depthwise
from scratch_forward.kernels.convolution.direct import Direct
from scratch_forward.kernels.convolution.fused_pooling import (
    Activation,
    Ending,
    Pool,
    pooling_calls,
)
from scratch_forward.kernels.convolution.geometry import Geometry, Padding, Pair
from scratch_forward.kernels.convolution.method import Call, Method, row_bounds
from scratch_forward.kernels.convolution.value_range import ValueRange
from scratch_forward.kernels.convolution.winograd import Winograd
from scratch_forward.kernels.runtime.workspace import Workspace

Finish = Callable[[np.ndarray, np.ndarray], Iterator[Call]]  # of a block of rows, and its output

METHODS: tuple[type[Method], ...] = (Direct, Depthwise, Winograd)


def cheapest_method(geometry: Geometry) -> type[Method]:
    """Return the method with the lowest estimated time per example."""
    covering = [method for method in METHODS if method.covers(geometry)]
    return min(covering, key=lambda method: method.cost(geometry))


@dataclass(frozen=True)
class Convolution:
    """pool(activation(x * kernel + bias)) for images of one size, in the kernel's dtype.

    A 1x1 convolution that follows is computed on the same blocks of rows, while they are in cache.
    """

    geometry: Geometry
    kernel: np.ndarray
    method: Method
    bias: np.ndarray | None
    activation: Activation
    pool: Pool | None
    pointwise: Self | None = None  # a 1x1 convolution of the result, without pooling in between

    @property
    def window(self) -> Pair:
        """Rows and columns of a pooling window: 1 and 1 without pooling."""
        return self.pool.size if self.pool else (1, 1)

    def takes(self, following: object) -> "TypeGuard[Convolution]":
        """Whether a stage can be the 1x1 convolution of the result."""
        if not isinstance(following, Convolution):
            return False
        if self.pool or self.pointwise or following.pointwise:
            return False
        geometry = following.geometry
        return geometry.is_dense and geometry.kernel == (1, 1) and geometry.size == geometry.out

    @property
    def _last(self) -> Self:
        return self.pointwise or self

    @property
    def out_shape(self) -> tuple[int, int, int]:
        """(out H, out W, filters), after pooling and the 1x1 convolution."""
        (high, wide), (height, width) = self._last.window, self.geometry.out
        return height // high, width // wide, self._last.geometry.filters

    def inlet(self, examples: int, dtype: np.dtype, workspace: Workspace) -> np.ndarray:
        """Return the array (H, W, C, n) from which the input is read without a copy."""
        return self.method.inlet(self._rows, examples, dtype, workspace).inside

    @property
    def _rows(self) -> int:
        """Number of output rows to compute: those that pooling uses."""
        return self.out_shape[0] * self._last.window[0]

    @cached_property
    def _direct(self) -> Direct:
        return Direct.prepare(self.kernel, self.geometry)

    def __call__(
        self, x: np.ndarray, workspace: Workspace | None = None, out: np.ndarray | None = None
    ) -> np.ndarray:
        """Map x (H, W, C, n), with any strides, to (out H, out W, filters, n)."""
        workspace = workspace or Workspace()
        shape = (*self.out_shape, x.shape[3])
        if out is None:
            out = workspace.array(("out", id(self), x.shape[3]), shape, x.dtype)
        if not self._run(self.method, x, workspace, out):
            self._run(self._direct, x, workspace, out)
        return out

    def _run(self, method: Method, x: np.ndarray, workspace: Workspace, out: np.ndarray) -> bool:
        """Compute `out`. Returns whether the method fits the values of x."""
        padded = self._padded(method, x, workspace)
        calls, seen = workspace.kept(
            ("calls", id(self), id(method), x.shape[3]),
            lambda: self._bind(method, padded, out, workspace),
            views=(padded, out),
        )
        with nullcontext() if seen is None else np.errstate(over="ignore", invalid="ignore"):
            for call in calls:
                call()
        return seen is None or seen.fits()

    def _bind(
        self, method: Method, padded: np.ndarray, out: np.ndarray, workspace: Workspace
    ) -> tuple[list[Call], ValueRange | None]:
        """Return the calls that compute `out` block by block, and what they find in `padded`."""
        calls: list[Call] = []
        seen = ValueRange(spots=method.mixes) if method.spreads else None
        high, down, examples = self._last.window[0], self.geometry.strides[0], padded.shape[3]
        finish = self._finishing(examples, workspace)
        step = math.lcm(high, method.rows_at_once)
        for start, stop in row_bounds(self._rows, step, method.row_elements * examples):
            if seen is not None:
                end = stop * down if stop < self._rows else None
                calls += seen.calls(padded[start * down : end])
            computed, rows = method.block(padded, start, stop, workspace)
            calls += [*computed, *finish(rows, out[start // high : stop // high])]
        return calls, seen

    def _finishing(self, examples: int, workspace: Workspace) -> Finish:
        """Return the function that returns what is left to do for a block of rows."""
        filters, dtype = self.geometry.filters, self.kernel.dtype
        ending = Ending.of(self.bias, self.activation, filters, examples, dtype)
        if self.pointwise is None:
            return partial(self._finish, ending)
        pointwise, buffers = self.pointwise, workspace.kept("pointwise", Workspace)
        finish = pointwise._finishing(examples, workspace)

        def calls(rows: np.ndarray, out: np.ndarray) -> Iterator[Call]:
            yield from ending.calls(rows, rows)
            computed, convolved = pointwise.method.block(rows, 0, len(rows), buffers)
            yield from computed
            yield from finish(convolved, out)

        return calls

    def _finish(self, ending: Ending, rows: np.ndarray, out: np.ndarray) -> Iterator[Call]:
        """Pool, add the bias and apply the activation while the rows are in cache.

        Max pooling comes first. Adding a constant and ReLU preserve order, so the maximum of each
        window is the same, and 2x2 pooling leaves only a quarter of the elements for both.
        """
        if self.pool is not None and self.pool.kind == "max":
            yield from pooling_calls(rows, self.pool, out)
            yield from ending.calls(out, out)
        elif self.pool is not None:
            yield from ending.calls(rows, rows)
            yield from pooling_calls(rows, self.pool, out)
        else:
            yield from ending.calls(rows, out)

    def _padded(self, method: Method, x: np.ndarray, workspace: Workspace) -> np.ndarray:
        inside, padded = method.inlet(self._rows, x.shape[3], x.dtype, workspace)
        if not np.may_share_memory(x, inside):
            inside[...] = x
        return padded


def prepare(
    kernel: np.ndarray,
    bias: np.ndarray | None,
    input_shape: tuple[int, int, int],
    *,
    strides: Pair = (1, 1),
    padding: Padding = "valid",
    dilation: Pair = (1, 1),
    groups: int = 1,
    activation: Activation = "linear",
    pool: Pool | None = None,
    method: type[Method] | None = None,
) -> Convolution:
    """Prepare a kernel for images of one size, by the cheapest method unless one is given.

    Args:
        kernel: Float32 or float64 array (kh, kw, channels / groups, filters), cross-correlated with
            the input as in Keras's Conv2D.
        bias: Array (filters,), or None.
        input_shape: (H, W, channels).
        strides: (rows, columns).
        padding: `"valid"`, `"same"`, or ((top, bottom), (left, right)).
        dilation: (rows, columns).
        groups: Number of groups of channels.
        activation: `"linear"` or `"relu"`.
        pool: Pooling of the output, or None.
        method: The method to use. The default is the one with the lowest estimated time.
    """
    geometry = Geometry.of(kernel.shape, input_shape, strides, padding, dilation, groups)
    chosen = method or (cheapest_method(geometry) if np.isfinite(kernel).all() else Direct)
    bias = None if bias is None else bias.astype(kernel.dtype)
    return Convolution(geometry, kernel, chosen.prepare(kernel, geometry), bias, activation, pool)
