"""2-D convolutions of single images by im2col, with the channels as the last axis.

The input under each output pixel becomes one row of a matrix, so a single image gives matrix
products with one row per pixel. Rows of the image are processed in blocks, which limits the memory
for images of any size.

All calls of NumPy are prepared once, with their views and buffers. For small images, making the
views took three times as long as the calls.
"""

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from functools import partial
from typing import Any

import numpy as np
from numpy.lib.stride_tricks import as_strided

from scratch_forward.kernels.convolution.fused_pooling import Activation, Pool
from scratch_forward.kernels.convolution.geometry import Geometry
from scratch_forward.kernels.runtime import matmul

LARGEST_BLOCK = 1 << 19  # elements of the unrolled matrix

Call = Callable[[], Any]


@dataclass(frozen=True)
class Im2col:
    """pool(activation(x * kernel + bias)) for a convolution without groups, or a depthwise one."""

    geometry: Geometry
    kernel: np.ndarray  # (kh, kw, channels / groups, filters); one filter per channel in groups
    bias: np.ndarray | None
    activation: Activation
    pool: Pool | None

    @property
    def window(self) -> tuple[int, int]:
        """Rows and columns of a pooling window: 1 and 1 without pooling."""
        return self.pool.size if self.pool else (1, 1)

    @property
    def out_shape(self) -> tuple[int, int, int]:
        """(out H, out W, filters), after pooling."""
        (height, width), (high, wide) = self.geometry.out, self.window
        return height // high, width // wide, self.geometry.filters

    @property
    def terms(self) -> int:
        """Elements of the unrolled matrix per output pixel; if depthwise, products of one tap."""
        kh, kw, channels, filters = self.kernel.shape
        return filters if self.geometry.groups > 1 else kh * kw * channels

    @property
    def block(self) -> int:
        """Rows of the output, after pooling, that are computed at a time."""
        row = self.geometry.out[1] * self.terms * self.window[0]
        return min(max(LARGEST_BLOCK // row, 1), self.out_shape[0])

    @property
    def cells(self) -> tuple[int, int]:
        """Rows and columns before pooling that are computed at a time."""
        return self.block * self.window[0], self.geometry.out[1]


class Im2colChain:
    """Convolutions in a row for one image at a time. Not for several threads at once.

    Args:
        convolutions: The convolutions, each of which reads the output of the one before.
        dtype: Dtype of images and weights.
    """

    def __init__(self, convolutions: Sequence[Im2col], dtype: np.dtype) -> None:
        sizes = [int(np.prod(convolution.cells)) for convolution in convolutions]
        pairs = list(zip(convolutions, sizes, strict=True))
        self._unrolled = np.empty(max(size * c.terms for c, size in pairs), dtype)
        self._convolved = np.empty(max(size * c.geometry.filters for c, size in pairs), dtype)
        self._halved = np.empty_like(self._convolved)
        padded = [_padded(convolution.geometry, dtype) for convolution in convolutions]
        self._inlet, *others = (
            _inside(c.geometry, x) for c, x in zip(convolutions, padded, strict=True)
        )
        self._outlet = np.empty(convolutions[-1].out_shape, dtype)
        outlets = [*others, self._outlet]
        self._calls = [
            call
            for step in zip(convolutions, padded, outlets, strict=True)
            for call in self._calls_of(*step)
        ]

    def __call__(self, image: np.ndarray, out: np.ndarray) -> None:
        """Map an image (H, W, C) to `out`, (out H, out W, filters)."""
        self._inlet[...] = image
        for call in self._calls:
            call()
        out[...] = self._outlet

    def _calls_of(self, conv: Im2col, padded: np.ndarray, out: np.ndarray) -> Iterator[Call]:
        """Yield the calls of one convolution, block by block."""
        windows, high = _windows(conv.geometry, padded), conv.window[0]
        for start in range(0, len(out), conv.block):
            done = out[start : start + conv.block]
            seen = windows[start * high : (start + len(done)) * high]
            count = int(np.prod(seen.shape[:2]))
            cells = self._convolved[: count * out.shape[2]].reshape(*seen.shape[:2], -1)
            multiply = self._by_tap if conv.geometry.groups > 1 else self._by_window
            yield from multiply(conv.kernel, seen, cells)
            yield from self._finish(conv, cells, done)

    def _by_window(self, kernel: np.ndarray, seen: np.ndarray, cells: np.ndarray) -> Iterator[Call]:
        """Multiply the kernel by the windows (h, w, kh, kw, channels), one row of a matrix each."""
        filters = kernel.shape[3]
        unrolled = self._unrolled[: seen.size].reshape(seen.shape)
        rows, out = unrolled.reshape(-1, kernel.size // filters), cells.reshape(-1, filters)
        yield partial(np.copyto, unrolled, seen)
        yield partial(np.matmul, *matmul.cut(rows, kernel.reshape(-1, filters), out))

    def _by_tap(self, kernel: np.ndarray, seen: np.ndarray, cells: np.ndarray) -> Iterator[Call]:
        """Add the products of each pixel of the kernel, repeated so that a loop covers a row."""
        product = self._unrolled[: cells.size].reshape(cells.shape)
        for number, (down, right) in enumerate(np.ndindex(kernel.shape[:2])):
            weights = np.tile(kernel[down, right], (cells.shape[1], 1))
            out = product if number else cells
            yield partial(np.multiply, seen[:, :, down, right], weights, out)
            if number:
                yield partial(np.add, cells, product, cells)

    def _finish(self, conv: Im2col, cells: np.ndarray, out: np.ndarray) -> Iterator[Call]:
        """Pool, add the bias and apply the activation. Max pooling is first, see `Convolution`."""
        if conv.pool is not None and conv.pool.kind == "max":
            yield from self._pool(conv.pool, cells, out)
            yield from _activate(conv, out)
            return
        yield from _activate(conv, cells)
        if conv.pool is None:
            yield partial(np.copyto, out, cells)
            return
        yield from self._pool(conv.pool, cells, out)
        yield partial(np.multiply, out, out.dtype.type(1 / np.prod(conv.window)), out)

    def _pool(self, pool: Pool, cells: np.ndarray, out: np.ndarray) -> Iterator[Call]:
        """Combine the rows of each window of cells (h, w, filters), then its columns."""
        (high, wide), (height, width, filters) = pool.size, out.shape
        combine = np.maximum if pool.kind == "max" else np.add
        cells = cells[: height * high, : width * wide]
        if high > 1:
            shape = (height, width * wide, filters)
            rows = out if wide == 1 else self._halved[: int(np.prod(shape))].reshape(shape)
            yield from _combine(combine, [cells[down::high] for down in range(high)], rows)
            cells = rows
        if cells is not out:
            yield from _combine(combine, [cells[:, right::wide] for right in range(wide)], out)


def _combine(function: np.ufunc, parts: list[np.ndarray], out: np.ndarray) -> Iterator[Call]:
    """Yield the calls that combine arrays of the same shape."""
    if len(parts) == 1:
        yield partial(np.copyto, out, parts[0])
        return
    yield partial(function, parts[0], parts[1], out=out)
    for part in parts[2:]:
        yield partial(function, out, part, out=out)


def _activate(conv: Im2col, x: np.ndarray) -> Iterator[Call]:
    """Add the bias to x (h, w, filters) and apply the activation, in place."""
    if conv.bias is not None:
        # one loop per row of the image, instead of one per pixel
        yield partial(np.add, x, np.tile(conv.bias, (x.shape[1], 1)), x)
    if conv.activation == "relu":
        yield partial(np.maximum, x, np.zeros((), x.dtype), out=x)


def _padded(geometry: Geometry, dtype: np.dtype) -> np.ndarray:
    (top, bottom), (left, right) = geometry.padding
    height, width = geometry.size
    return np.zeros((top + height + bottom, left + width + right, geometry.channels), dtype)


def _inside(geometry: Geometry, padded: np.ndarray) -> np.ndarray:
    """View the image inside its zero padding."""
    (top, _), (left, _) = geometry.padding
    return padded[top : top + geometry.size[0], left : left + geometry.size[1]]


def _windows(geometry: Geometry, padded: np.ndarray) -> np.ndarray:
    """View the input under each output pixel: (out H, out W, kh, kw, channels)."""
    by_row, by_column, by_channel = padded.strides
    (down, right), (apart_down, apart_right) = geometry.strides, geometry.dilation
    shape = (*geometry.out, *geometry.kernel, geometry.channels)
    steps = (by_row * down, by_column * right, by_row * apart_down, by_column * apart_right)
    return as_strided(padded, shape, (*steps, by_channel), writeable=False)
