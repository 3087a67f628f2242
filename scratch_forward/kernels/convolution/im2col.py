"""2-D convolution of few examples by im2col, with the channels as the last axis.

The input under each output pixel becomes one row of a matrix, so a single image gives matrix
products with one row per pixel. Rows of the image are processed in blocks, which limits the memory
for images of any size.
"""

from dataclasses import dataclass

import numpy as np
from numpy.lib.stride_tricks import as_strided

from scratch_forward.kernels.convolution.fused_pooling import Activation, Pool
from scratch_forward.kernels.convolution.geometry import Geometry
from scratch_forward.kernels.runtime.matmul import multiply
from scratch_forward.kernels.runtime.workspace import Workspace

LARGEST_BLOCK = 1 << 19  # elements of the unrolled matrix


@dataclass(frozen=True)
class Im2col:
    """pool(activation(x * kernel + bias)) for a convolution without groups."""

    geometry: Geometry
    weights: np.ndarray  # (kh * kw * channels, filters)
    bias: np.ndarray | None
    activation: Activation
    pool: Pool | None

    def __call__(self, x: np.ndarray, workspace: Workspace) -> np.ndarray:
        """Map x (n, H, W, C) to (n, out H, out W, filters), after pooling."""
        (height, width), (high, wide) = self.geometry.out, self.pool.size if self.pool else (1, 1)
        out = np.empty((len(x), height // high, width // wide, self.geometry.filters), x.dtype)
        windows = self._windows(self._padded(x, workspace))
        row = len(x) * width * len(self.weights)
        step = max(LARGEST_BLOCK // (row * high), 1)
        for start in range(0, out.shape[1], step):
            done = out[:, start : start + step]
            seen = windows[:, start * high : (start + done.shape[1]) * high]
            self._finish(self._multiply(seen, workspace), done)
        return out

    def _padded(self, x: np.ndarray, workspace: Workspace) -> np.ndarray:
        (top, bottom), (left, right) = self.geometry.padding
        examples, height, width, channels = x.shape
        shape = (examples, top + height + bottom, left + width + right, channels)
        padded = workspace.framed(("images", id(self)), shape, x.dtype)
        padded[:, top : top + height, left : left + width] = x
        return padded

    def _windows(self, padded: np.ndarray) -> np.ndarray:
        """View the input under each output pixel: (n, out H, out W, kh, kw, channels)."""
        geometry = self.geometry
        by_example, by_row, by_column, by_channel = padded.strides
        (down, right), (apart_down, apart_right) = geometry.strides, geometry.dilation
        shape = (len(padded), *geometry.out, *geometry.kernel, geometry.channels)
        steps = (by_row * down, by_column * right, by_row * apart_down, by_column * apart_right)
        return as_strided(padded, shape, (by_example, *steps, by_channel), writeable=False)

    def _multiply(self, windows: np.ndarray, workspace: Workspace) -> np.ndarray:
        """Multiply the windows of some rows by the kernel: (n, rows, out W, filters)."""
        cells, size = windows.shape[:3], int(np.prod(windows.shape[:3]))
        rows = workspace.array("unrolled", windows.shape, windows.dtype)
        rows[...] = windows
        out = workspace.array("convolved", (size, self.geometry.filters), windows.dtype)
        return multiply(rows.reshape(size, -1), self.weights, out).reshape(*cells, -1)

    def _finish(self, cells: np.ndarray, out: np.ndarray) -> None:
        """Pool, add the bias and apply the activation. Max pooling is first, see `Convolution`."""
        largest = self.pool is not None and self.pool.kind == "max"
        if self.pool is not None and largest:
            _pool(cells, self.pool, out)
        done = out if largest else cells
        if self.bias is not None:
            done += self.bias
        if self.activation == "relu":
            np.maximum(done, 0, out=done)
        if self.pool is None:
            out[...] = cells
        elif not largest:
            _pool(cells, self.pool, out)


def _pool(cells: np.ndarray, pool: Pool, out: np.ndarray) -> None:
    """Write the maximum or mean of each window of cells (n, h, w, filters) to `out`."""
    (high, wide), (_, height, width, _) = pool.size, out.shape
    combine = np.maximum if pool.kind == "max" else np.add
    windows = [
        cells[:, down : height * high : high, right : width * wide : wide]
        for down in range(high)
        for right in range(wide)
    ]
    out[...] = windows[0]
    for window in windows[1:]:
        combine(out, window, out=out)
    if pool.kind == "average":
        out *= out.dtype.type(1 / (high * wide))
