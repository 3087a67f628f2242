"""Convolution of a whole image as products of its frequencies, for kernels of 5x5 and larger.

The convolution theorem over a period P that is just long enough for the zero padding not to wrap
around: y = DFT^-1[ DFT(x) . conj(DFT(w)) ]. At these sizes (P from 9 to 40) a discrete Fourier
transform is fastest as a product with its matrix, by rows and then by columns. A complex product
takes three real ones (Gauss): with x = a + bi and w = c + di,

    p0 = a (d - c)     p1 = b (c + d)     p2 = (a + b) c     x w = (p2 - p1) + (p2 + p0) i

whose sums are folded into the transform matrices. The number of products per output and channel
does not grow with the kernel: about 2 (P / H)^2 for any of them, against kh * kw.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Self

import numpy as np

from scratch_forward.kernels.convolution.direct import RowBlock
from scratch_forward.kernels.convolution.geometry import Geometry, Inlet, inlet
from scratch_forward.kernels.runtime.workspace import Scratch

# How the parts (real, imaginary) of a number become Gauss's three factors, and products a number.
_TO_FACTORS = np.array([[1, 0], [0, 1], [1, 1]])
_WEIGHT_FACTORS = np.array([[-1, 1], [1, 1], [1, 0]])
_FROM_PRODUCTS = np.array([[0, -1, 1], [1, 0, 1]])


@dataclass(frozen=True)
class Fourier:
    """Transform matrices and the kernel's frequencies; P, Q: row and column periods.

    Half of the row frequencies, R = P // 2 + 1, are enough for real images.
    """

    geometry: Geometry
    rows_in: np.ndarray  # (2R, H): real and imaginary part of each row frequency
    columns_in: np.ndarray  # (3Q, 2W): Gauss's factors of each column frequency
    weights: np.ndarray  # (R, Q, 3, filters, channels)
    columns_out: np.ndarray  # (2 out W, 3Q)
    rows_out: np.ndarray  # (out H, 2R)

    @staticmethod
    def covers(geometry: Geometry) -> bool:
        """Whether every step is 1 and every filter sees every channel."""
        return geometry.is_dense

    @staticmethod
    def cost(geometry: Geometry) -> float:
        """Estimate the time per example, in multiplications of a matrix product."""
        (height, width), (out_height, out_width) = geometry.size, geometry.out
        frequencies, columns = _period(geometry, 0) // 2 + 1, _period(geometry, 1)
        products = 3 * frequencies * columns * geometry.channels * geometry.filters
        forward = 2 * frequencies * width * (height + 3 * columns)
        backward = 2 * frequencies * out_width * (out_height + 3 * columns)
        transforms = geometry.channels * forward + geometry.filters * backward
        return 1.5 * products + 2 * transforms  # as measured: small products, short sums

    @classmethod
    def prepare(cls, kernel: np.ndarray, geometry: Geometry) -> Self:
        """Transform a kernel (kh, kw, channels, filters), in float64."""
        (height, width), (out_height, out_width) = geometry.size, geometry.out
        period, columns = _period(geometry, 0), _period(geometry, 1)
        half = np.arange(period // 2 + 1)
        parts = (
            _real_matrix(_waves(half, height, period, -1))[:, :, :1].reshape(-1, height),
            _columns_in(columns, width),
            _weights(kernel, geometry),
            _columns_out(columns, out_width),
            _rows_out(half, out_height, period),
        )
        return cls(geometry, *(np.ascontiguousarray(part, kernel.dtype) for part in parts))

    def inlet(self, rows: int, examples: int, dtype: np.dtype, scratch: Scratch) -> Inlet:
        """Return where the input goes; the period makes room for the padding."""
        size = self.geometry.without_padding
        return inlet(("inlet", id(self)), size, 0, examples, dtype, scratch)

    def row_blocks(
        self, x: np.ndarray, rows: int, step: int, scratch: Scratch
    ) -> Iterator[RowBlock]:
        """Yield (0, outputs (rows, out width, filters, n)) for x (H, W, C, n)."""
        height, width, channels, examples = x.shape
        frequencies, columns, _, filters, _ = self.weights.shape
        dtype, out_width = x.dtype, self.geometry.out[1]
        by_row = scratch.array("rows in", (frequencies, 2 * width, channels * examples), dtype)
        np.matmul(self.rows_in, x.reshape(height, -1), out=by_row.reshape(2 * frequencies, -1))
        results = scratch.array("rows out", (frequencies, 2 * out_width, filters * examples), dtype)
        factors = scratch.array("factors", (columns * 3, channels * examples), dtype)
        products = scratch.array("products", (columns, 3, filters, examples), dtype)
        for line, weights, result in zip(by_row, self.weights, results, strict=True):
            np.matmul(self.columns_in, line, out=factors)
            np.matmul(weights, factors.reshape(columns, 3, channels, examples), out=products)
            np.matmul(self.columns_out, products.reshape(columns * 3, -1), out=result)
        out = scratch.array("convolved", (rows, out_width, filters, examples), dtype)
        np.matmul(
            self.rows_out[:rows], results.reshape(2 * frequencies, -1), out=out.reshape(rows, -1)
        )
        yield 0, out


def _period(geometry: Geometry, axis: int) -> int:
    return max(geometry.size[axis] + max(geometry.padding[axis]), geometry.out[axis])


def _waves(
    frequencies: np.ndarray, length: int, period: int, sign: int, start: int = 0
) -> np.ndarray:
    """exp(sign 2 pi i f t / period): (frequencies, length), t from `start`."""
    times = np.arange(start, start + length)
    return np.exp(sign * 2j * np.pi / period * (np.outer(frequencies, times) % period))


def _real_matrix(waves: np.ndarray) -> np.ndarray:
    """What multiplying by each wave does to (real, imaginary): (f, part out, part in, t)."""
    real, imaginary = waves.real, waves.imag
    return np.stack([np.stack([real, -imaginary], 1), np.stack([imaginary, real], 1)], 1)


def _columns_in(columns: int, width: int) -> np.ndarray:
    matrix = _real_matrix(_waves(np.arange(columns), width, columns, -1))
    return np.einsum("gp,fpqt->fgqt", _TO_FACTORS, matrix).reshape(3 * columns, 2 * width)


def _columns_out(columns: int, out_width: int) -> np.ndarray:
    matrix = _real_matrix(_waves(np.arange(columns), out_width, columns, +1)) / columns
    return np.einsum("fqpt,pg->qtfg", matrix, _FROM_PRODUCTS).reshape(2 * out_width, 3 * columns)


def _rows_out(half: np.ndarray, out_height: int, period: int) -> np.ndarray:
    """The real part of the inverse; a frequency stands for its conjugate too, if it has one."""
    waves = _waves(half, out_height, period, +1) / period
    waves[(half != 0) & (2 * half != period)] *= 2
    return np.stack([waves.real, -waves.imag], 1).reshape(-1, out_height).T


def _weights(kernel: np.ndarray, geometry: Geometry) -> np.ndarray:
    """Gauss's factors of the kernel's frequencies: (R, Q, 3, filters, channels)."""
    periods = (_period(geometry, 0), _period(geometry, 1))
    frequencies = (np.arange(periods[0] // 2 + 1), np.arange(periods[1]))
    rows, columns = (
        _waves(frequencies[axis], kernel.shape[axis], periods[axis], +1, -geometry.padding[axis][0])
        for axis in (0, 1)
    )
    spectrum = np.einsum("ra,qb,abcf->rqfc", rows, columns, kernel, optimize=True)
    parts = np.stack([spectrum.real, spectrum.imag])
    return np.einsum("gp,prqfc->rqgfc", _WEIGHT_FACTORS, parts)
