"""A 2-D convolution prepared once for its kernel and image size, then run on groups of examples.

Arrays have the batch as *last* axis, (H, W, C, n): rows of n numbers are neighbours in memory, so
every step is a long loop or a matrix product with n columns, no matter how few the channels.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Literal, Protocol

import numpy as np

from scratch_forward.kernels.convolution.depthwise import Depthwise
from scratch_forward.kernels.convolution.direct import Direct, RowBlock
from scratch_forward.kernels.convolution.fourier import Fourier
from scratch_forward.kernels.convolution.fused_pooling import (
    Activation,
    Pool,
    activate,
    pool_windows,
)
from scratch_forward.kernels.convolution.geometry import Geometry, Inlet, Padding, Pair
from scratch_forward.kernels.convolution.winograd import Winograd
from scratch_forward.kernels.runtime.workspace import Scratch

Method = Literal["direct", "depthwise", "winograd", "fourier"]


class RowBlocks(Protocol):
    """What each method of convolving offers: its output in blocks of rows, before the bias."""

    def inlet(self, rows: int, examples: int, dtype: np.dtype, scratch: Scratch) -> Inlet:
        """Return where the input goes, with the padding that this method needs for its rows."""
        ...

    def row_blocks(
        self, padded: np.ndarray, rows: int, step: int, scratch: Scratch
    ) -> Iterator[RowBlock]:
        """Yield (first row, outputs (r, out width, filters, n)) up to `rows`, r in whole steps.

        A block lives in `scratch`: use it before asking for the next one.
        """
        ...


METHODS: dict[Method, type[Direct] | type[Depthwise] | type[Winograd] | type[Fourier]] = {
    "direct": Direct,
    "depthwise": Depthwise,
    "winograd": Winograd,
    "fourier": Fourier,
}


def cheapest_method(geometry: Geometry) -> Method:
    """Choose by the estimated time per example: multiplications, and additions by their cost."""
    if Depthwise.covers(geometry):
        return "depthwise"
    costs: dict[Method, float] = {"direct": geometry.multiplications}
    if Winograd.covers(geometry):
        costs["winograd"] = Winograd.cost(geometry)
    if Fourier.covers(geometry):
        costs["fourier"] = Fourier.cost(geometry)
    return min(costs, key=lambda method: costs[method])


@dataclass(frozen=True)
class Convolution:
    """pool(activation(x * kernel + bias)) for images of one size, of the kernel's dtype."""

    geometry: Geometry
    method: RowBlocks
    bias: np.ndarray | None
    activation: Activation
    pool: Pool | None

    @property
    def out_shape(self) -> tuple[int, int, int]:
        """(out H, out W, filters), after pooling."""
        high, wide = self.pool.size if self.pool else (1, 1)
        height, width = self.geometry.out
        return height // high, width // wide, self.geometry.filters

    def inlet(self, examples: int, dtype: np.dtype, scratch: Scratch) -> np.ndarray:
        """Return the array (H, W, C, n) in which the input need not be copied any more."""
        return self._inlet(examples, dtype, scratch).inside

    def _inlet(self, examples: int, dtype: np.dtype, scratch: Scratch) -> Inlet:
        high = self.pool.size[0] if self.pool else 1
        return self.method.inlet(self.out_shape[0] * high, examples, dtype, scratch)

    def __call__(
        self, x: np.ndarray, scratch: Scratch | None = None, out: np.ndarray | None = None
    ) -> np.ndarray:
        """Map x (H, W, C, n), any strides, to (out H, out W, filters, n)."""
        scratch = scratch or Scratch()
        shape = (*self.out_shape, x.shape[3])
        out = scratch.array(("out", id(self)), shape, x.dtype) if out is None else out
        inside, padded = self._inlet(x.shape[3], x.dtype, scratch)
        if not np.may_share_memory(x, inside):
            inside[...] = x
        bias = self._bias_of_group(x.shape[3], scratch)
        high = self.pool.size[0] if self.pool else 1
        for start, rows in self.method.row_blocks(padded, shape[0] * high, high, scratch):
            self._finish(rows, bias, out[start // high : (start + len(rows)) // high])
        return out

    def _finish(self, rows: np.ndarray, bias: np.ndarray | None, out: np.ndarray) -> None:
        """Pool, add the bias and activate, while the rows are in cache.

        Pooling goes first where it may: adding a constant and ReLU keep order, so the largest of a
        window stays the largest, and a quarter of the cells is left.
        """
        if self.pool is not None and self.pool.kind == "max":
            pool_windows(rows, self.pool, out)
            activate(out, bias, self.activation, out)
        elif self.pool is not None:
            activate(rows, bias, self.activation, rows)
            pool_windows(rows, self.pool, out)
        else:
            activate(rows, bias, self.activation, out)

    def _bias_of_group(self, examples: int, scratch: Scratch) -> np.ndarray | None:
        """Repeat the bias for each example: adding (filters, n) is one loop, not `filters`."""
        if self.bias is None:
            return None
        repeated = scratch.array("bias", (len(self.bias), examples), self.bias.dtype)
        repeated[...] = self.bias[:, None]
        return repeated


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
    method: Method | None = None,
) -> Convolution:
    """Transform a kernel for images of one size, by the cheapest method unless one is named.

    kernel: (kh, kw, channels / groups, filters), float32 or float64, cross-correlated as in Keras'
    Conv2D; bias: (filters,); input_shape: (H, W, channels).
    """
    geometry = Geometry.of(kernel.shape, input_shape, strides, padding, dilation, groups)
    chosen = METHODS[method or cheapest_method(geometry)]
    bias = None if bias is None else bias.astype(kernel.dtype)
    return Convolution(geometry, chosen.prepare(kernel, geometry), bias, activation, pool)
