"""Winograd convolution F(m, r) along rows: m + r - 1 products give m output rows of r-row kernels.

Source: Lavin & Gray 2016, "Fast Algorithms for Convolutional Neural Networks", equation 5, in one
dimension. For m + r - 1 input rows d, r kernel rows g and m output rows y,

    y = A^T [ (G g) * (B^T d) ]

with the matrices of Toom and Cook: polynomials are multiplied by means of their values at
m + r - 2 points and at infinity. The columns of the kernel are not transformed and are contiguous
in memory, so every step is a matrix product. F(2, 3) costs about one bit of accuracy; F(4, 3),
F(3, 4) and F(2, 5) with these points cost less than three. A value affects all output rows of its
tiles, m - 1 more on either side than in direct convolution.

A kernel with more rows than r is the sum of several kernels of r rows: seven rows are two times
four, with a row of zeros. Their products are added before A^T is applied. F(3, 4) then needs four
products per output row instead of seven, and takes about half the time of direct convolution.
"""

from dataclasses import dataclass
from functools import partial
from typing import NamedTuple, Self

import numpy as np
from numpy.lib.stride_tricks import as_strided

from scratch_forward.kernels.convolution.geometry import Geometry, Inlet, inlet
from scratch_forward.kernels.convolution.method import Block, Call, Method
from scratch_forward.kernels.runtime.blas import blas
from scratch_forward.kernels.runtime.matmul import cut
from scratch_forward.kernels.runtime.workspace import Workspace

# Interpolation points by the number of products per tile. Among all sets of small fractions, those
# near {0, +-2/3, +-3/2} have the smallest expected rounding error for F(4, 3). The error of
# {0, 1, -1, 2, -1/2} was 1.2 times as large, that of {0, +-1, +-2} 1.5 times. Since all
# denominators are powers of two, B^T and A^T are exact.
POINTS = {4: (0, 1, -1), 6: (0, 0.625, -0.625, 1.5, -1.5)}

_SHORT = 64  # terms of a sum
_AVX512_CORES = ("SkylakeX", "Cooperlake", "SapphireRapids")


def toom_cook(
    rows: int, taps: int, points: tuple[float, ...]
) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Return A^T (rows, t), G (t, taps) and B^T (t, t), t = rows + taps - 1, in float64.

    The rows of B^T are polynomials scaled to a leading coefficient of 1. G compensates for the
    scale.
    """
    total = rows + taps - 1

    def values(degree: int) -> np.ndarray:
        at_infinity = np.eye(degree)[-1:]
        return np.concatenate([np.vander(points, degree, increasing=True), at_infinity])

    transform_in = np.linalg.inv(values(total)).T
    leading = np.append(transform_in[:-1, -2], transform_in[-1, -1])[:, None]
    return values(rows).T, values(taps) * leading, transform_in / leading


class Tiling(NamedTuple):
    """Tiles of `rows` output rows. The kernel's rows are divided into `parts` of `taps` rows.

    The parts are shifted copies of the channels, so that one product sums over all of them.
    """

    rows: int
    taps: int
    parts: int

    @property
    def products(self) -> int:
        """Number of input rows, and of products, per tile."""
        return self.rows + self.taps - 1


# Rows and taps of tiles with four and six products.
SMALL = ((2, 3),)
LARGE = (4, 3), (3, 4), (2, 5)


@dataclass(frozen=True)
class Winograd(Method):
    """Winograd convolution: transforms and transformed kernel.

    The transformed kernel has the shape (t, 1, filters, kw * parts * channels).
    """

    spreads = True
    mixes = True
    geometry: Geometry
    tiling: Tiling
    transform_in: np.ndarray  # B^T (t, t)
    weights: np.ndarray
    transform_out: np.ndarray  # A^T (tile, t)

    @staticmethod
    def covers(geometry: Geometry) -> bool:
        """Whether strides, dilation and groups are 1 and tiles save products."""
        height = geometry.kernel[0]
        return geometry.is_dense and (height == 3 or (height > 3 and _takes_large_tiles(geometry)))

    @staticmethod
    def cost(geometry: Geometry) -> float:
        """Estimate the time per example, in multiplications of a large matrix product."""
        tiling = _tiling(geometry)
        (height, width), total = geometry.out, tiling.products
        tiles, channels = -(-height // tiling.rows), tiling.parts * geometry.channels
        inputs = tiles * total * total * (width + geometry.kernel[1] - 1) * channels
        outputs = tiles * tiling.rows * total * width * geometry.filters
        products = tiles * total * width * geometry.kernel[1] * channels * geometry.filters
        return products + 6 * (inputs + outputs)  # 6-column products run at a sixth of peak speed

    @classmethod
    def prepare(cls, kernel: np.ndarray, geometry: Geometry) -> Self:
        """Transform a kernel (kh, kw, channels, filters), in float64."""
        rows, taps, parts = tiling = _tiling(geometry)
        transform_out, transform_kernel, transform_in = toom_cook(
            rows, taps, POINTS[tiling.products]
        )
        missing = np.zeros((parts * taps - len(kernel), *kernel.shape[1:]))
        by_part = np.concatenate([kernel, missing]).reshape(parts, taps, *kernel.shape[1:])
        transformed = np.einsum("ta,pabcf->tfbpc", transform_kernel, by_part)
        weights = transformed.reshape(tiling.products, 1, geometry.filters, -1)
        arrays = (
            np.ascontiguousarray(p, kernel.dtype) for p in (transform_in, weights, transform_out)
        )
        return cls(geometry, tiling, *arrays)

    def inlet(self, rows: int, examples: int, dtype: np.dtype, workspace: Workspace) -> Inlet:
        """Return the view for the input, inside its zero padding and that of the last tile."""
        tile, taps, parts = self.tiling
        missing = parts * taps - self.geometry.kernel[0]
        below = max(-(-rows // tile) * tile - self.geometry.out[0] + missing, 0)
        return inlet(("inlet", id(self)), self.geometry, below, examples, dtype, workspace)

    @property
    def rows_at_once(self) -> int:  # type: ignore[override]
        """Rows of a tile."""
        return self.tiling.rows

    def block(self, padded: np.ndarray, start: int, stop: int, workspace: Workspace) -> Block:
        """Return the calls for output rows `start` to `stop`: transforms and products."""
        tiles = -(-(stop - start) // self.tiling.rows)
        calls, inputs = self._transform_input(padded, start, tiles, workspace)
        product, products = self._multiply(inputs, workspace)
        shape = (tiles, self.tiling.rows, *products.shape[2:])
        out = workspace.array("convolved", shape, padded.dtype)
        transform = _combine_rows(self.transform_out, products, out)
        rows = out.reshape(-1, *out.shape[2:])[: stop - start]
        return Block([*calls, product, transform], rows)

    def _transform_input(
        self, padded: np.ndarray, start: int, tiles: int, workspace: Workspace
    ) -> tuple[list[Call], np.ndarray]:
        """Apply B^T to overlapping tiles of rows: (tiles, t, padded width, parts * C, n)."""
        tile, taps, parts = self.tiling
        by_row, (_, width, channels, examples) = padded.strides[0], padded.shape
        rows, calls = (tiles, self.tiling.products, width), []
        inputs = workspace.array("transformed", (*rows, parts * channels, examples), padded.dtype)
        for part in range(parts):
            tiled = as_strided(
                padded[start + part * taps :],
                (*rows, channels, examples),
                (by_row * tile, *padded.strides),
                writeable=False,
            )
            transformed = inputs[..., part * channels : (part + 1) * channels, :]
            calls.append(_combine_rows(self.transform_in, tiled, transformed))
        return calls, inputs

    def _multiply(self, inputs: np.ndarray, workspace: Workspace) -> tuple[Call, np.ndarray]:
        """Multiply by the transformed kernel: (tiles, t, out width, filters, n)."""
        geometry = self.geometry
        tiles, total, _, channels, examples = inputs.shape
        windows = as_strided(
            inputs,
            (tiles, total, geometry.out[1], geometry.kernel[1] * channels, examples),
            inputs.strides,
            writeable=False,
        )
        shape = (tiles, total, geometry.out[1], geometry.filters, examples)
        products = workspace.array("products", shape, inputs.dtype)
        return partial(np.matmul, *cut(self.weights, windows, products)), products


def _combine_rows(matrix: np.ndarray, x: np.ndarray, out: np.ndarray) -> Call:
    """Return the product of a matrix (r, t) and the rows of each tile, x (tiles, t, width, C, n).

    There is one product per column of pixels: BLAS reads small operands in place and copies large
    ones.
    """
    return partial(np.matmul, matrix, _by_column(x), _by_column(out))


def _by_column(x: np.ndarray) -> np.ndarray:
    """View (tiles, rows, width, C, n) as (tiles, width, rows, C * n)."""
    return x.reshape(*x.shape[:3], -1).transpose(0, 2, 1, 3)


def _tiling(geometry: Geometry) -> Tiling:
    """Return the tiles with the fewest products."""
    height, rows_out = geometry.kernel[0], geometry.out[0]
    sizes = LARGE if _takes_large_tiles(geometry) else SMALL
    tilings = (Tiling(rows, taps, -(-height // taps)) for rows, taps in sizes)
    return min(
        tilings, key=lambda tiling: (-(-rows_out // tiling.rows) * tiling.parts, tiling.parts)
    )


def _takes_large_tiles(geometry: Geometry) -> bool:
    """Whether tiles with six products are accurate enough and gain speed.

    They lose as much accuracy as a sum over many channels may. A sum of more than 64 terms must
    then be as accurate as with OpenBLAS's kernels for AVX-512. With its kernels for AVX2 and older
    processors, the largest error would be up to five times that of Keras; with F(2, 3) it is up to
    twice.
    """
    terms, library = geometry.kernel[1] * geometry.channels, blas()
    exact = terms <= _SHORT or (library is not None and library.core in _AVX512_CORES)
    return exact and geometry.channels >= 16 and geometry.out[0] >= 4
