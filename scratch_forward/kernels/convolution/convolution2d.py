"""2-D convolution, prepared once for a kernel and image size and run on groups of examples.

Arrays have the batch as the *last* axis, (H, W, C, n), so n numbers are contiguous in memory. Every
step is then a long loop or a matrix product with n columns, however few channels there are.
"""

from dataclasses import dataclass
from functools import cached_property

import numpy as np

from scratch_forward.kernels.convolution.depthwise import Depthwise
from scratch_forward.kernels.convolution.direct import Direct
from scratch_forward.kernels.convolution.fused_pooling import (
    Activation,
    Pool,
    activate,
    pool_windows,
)
from scratch_forward.kernels.convolution.geometry import Geometry, Padding, Pair
from scratch_forward.kernels.convolution.method import Method
from scratch_forward.kernels.convolution.winograd import Winograd
from scratch_forward.kernels.runtime.workspace import Workspace

SPOT = 32.0  # times the average size; larger values of a pixel and channel are computed by Direct

METHODS: tuple[type[Method], ...] = (Direct, Depthwise, Winograd)


def cheapest_method(geometry: Geometry) -> type[Method]:
    """Return the method with the lowest estimated time per example."""
    covering = [method for method in METHODS if method.covers(geometry)]
    return min(covering, key=lambda method: method.cost(geometry))


@dataclass(frozen=True)
class Convolution:
    """pool(activation(x * kernel + bias)) for images of one size, in the kernel's dtype."""

    geometry: Geometry
    kernel: np.ndarray
    method: Method
    bias: np.ndarray | None
    activation: Activation
    pool: Pool | None

    @property
    def out_shape(self) -> tuple[int, int, int]:
        """(out H, out W, filters), after pooling."""
        high, wide = self.pool.size if self.pool else (1, 1)
        height, width = self.geometry.out
        return height // high, width // wide, self.geometry.filters

    def inlet(self, examples: int, dtype: np.dtype, workspace: Workspace) -> np.ndarray:
        """Return the array (H, W, C, n) from which the input is read without a copy."""
        return self.method.inlet(self._rows, examples, dtype, workspace).inside

    @property
    def _rows(self) -> int:
        """Number of output rows to compute: those that pooling uses."""
        return self.out_shape[0] * (self.pool.size[0] if self.pool else 1)

    @cached_property
    def _direct(self) -> Direct:
        return Direct.prepare(self.kernel, self.geometry)

    def __call__(
        self, x: np.ndarray, workspace: Workspace | None = None, out: np.ndarray | None = None
    ) -> np.ndarray:
        """Map x (H, W, C, n), with any strides, to (out H, out W, filters, n)."""
        workspace = workspace or Workspace()
        shape = (*self.out_shape, x.shape[3])
        out = workspace.array(("out", id(self)), shape, x.dtype) if out is None else out
        method, padded = self._take_in(x, workspace)
        bias = self._bias_of_group(x.shape[3], workspace)
        high = self.pool.size[0] if self.pool else 1
        for start, rows in method.row_blocks(padded, self._rows, high, workspace):
            self._finish(rows, bias, out[start // high : (start + len(rows)) // high])
        return out

    def _take_in(self, x: np.ndarray, workspace: Workspace) -> tuple[Method, np.ndarray]:
        """Select the method and copy x to its inlet. Extreme values are computed by `Direct`."""
        padded = self._padded(self.method, x, workspace)
        if not self.method.spreads or (_is_even if self.method.mixes else _is_tame)(padded):
            return self.method, padded
        return self._direct, self._padded(self._direct, x, workspace)

    def _padded(self, method: Method, x: np.ndarray, workspace: Workspace) -> np.ndarray:
        inside, padded = method.inlet(self._rows, x.shape[3], x.dtype, workspace)
        if not np.may_share_memory(x, inside):
            inside[...] = x
        return padded

    def _finish(self, rows: np.ndarray, bias: np.ndarray | None, out: np.ndarray) -> None:
        """Pool, add the bias and apply the activation while the rows are in cache.

        Max pooling comes first. Adding a constant and ReLU preserve order, so the maximum of each
        window is the same, and 2x2 pooling leaves only a quarter of the elements for both.
        """
        if self.pool is not None and self.pool.kind == "max":
            pool_windows(rows, self.pool, out)
            activate(out, bias, self.activation, out)
        elif self.pool is not None:
            activate(rows, bias, self.activation, rows)
            pool_windows(rows, self.pool, out)
        else:
            activate(rows, bias, self.activation, out)

    def _bias_of_group(self, examples: int, workspace: Workspace) -> np.ndarray | None:
        """Repeat the bias per example, so that adding (filters, n) is a single loop."""
        if self.bias is None:
            return None
        repeated = workspace.array("bias", (len(self.bias), examples), self.bias.dtype)
        repeated[...] = self.bias[:, None]
        return repeated


def _is_tame(x: np.ndarray) -> bool:
    """Whether all values are finite and small enough for sums of their multiples to be finite.

    A dot product reads the array once, at the speed of the cache. It overflows from 1e19 on.
    """
    flat = x.reshape(-1)
    with np.errstate(over="ignore", invalid="ignore"):
        return bool(np.isfinite(flat @ flat))


def _is_even(x: np.ndarray) -> bool:
    """Whether no value is so large that its rounding would show in the pixels around.

    Takes hardly longer than `_is_tame`, because both wait for memory. A pixel 10,000 times brighter
    than the others left errors of 5e-3 in outputs of size 1 that do not see it; `Direct` has 3e-6.
    """
    rows = x.reshape(-1, x.shape[-1])  # one row per pixel and channel
    with np.errstate(over="ignore", invalid="ignore"):
        sizes = np.sqrt(np.vecdot(rows, rows))
        return bool(sizes.max() <= SPOT * sizes.mean() and np.isfinite(sizes.sum()))


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
