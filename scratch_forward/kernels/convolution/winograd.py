"""Winograd's F(m, r) along the rows: m output rows of an r-row kernel for m + r - 1 products.

Lavin & Gray 2016, "Fast Algorithms for Convolutional Neural Networks", equation 5, in one
dimension: for m + r - 1 input rows d, r kernel rows g and m output rows y,

    y = A^T [ (G g) * (B^T d) ]

with the matrices of Toom and Cook: polynomials are multiplied by their values at m + r - 2 points
and at infinity. The kernel's columns stay direct, side by side in memory, so every step is a matrix
product. F(2, 3) costs about one bit of accuracy, F(4, 3) and F(2, 5) with these points less than
three. A value reaches the output rows of its tiles, m - 1 more on either side than the kernel does.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Self

import numpy as np
from numpy.lib.stride_tricks import as_strided

from scratch_forward.kernels.convolution.geometry import Geometry, Inlet, inlet
from scratch_forward.kernels.convolution.method import Method, RowBlock, row_bounds
from scratch_forward.kernels.runtime.blas import blas
from scratch_forward.kernels.runtime.matmul import multiply
from scratch_forward.kernels.runtime.workspace import Workspace

# By the number of products per tile. Of all sets of small fractions, those near {0, +-2/3, +-3/2}
# have the least expected rounding error for F(4, 3); {0, 1, -1, 2, -1/2} had 1.2 times as much,
# {0, +-1, +-2} 1.5. With denominators that are powers of two, B^T and A^T are exact.
POINTS = {4: (0, 1, -1), 6: (0, 0.625, -0.625, 1.5, -1.5)}

_SMALLEST_TILE = 2
_SHORT = 64  # terms of a sum
_AVX512_CORES = ("SkylakeX", "Cooperlake", "SapphireRapids")


def toom_cook(
    rows: int, taps: int, points: tuple[float, ...]
) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Return A^T (rows, t), G (t, taps) and B^T (t, t), t = rows + taps - 1, in float64.

    B^T's rows are polynomials with a leading coefficient of 1; what they are divided by for that is
    in G.
    """
    total = rows + taps - 1

    def values(degree: int) -> np.ndarray:
        at_infinity = np.eye(degree)[-1:]
        return np.concatenate([np.vander(points, degree, increasing=True), at_infinity])

    transform_in = np.linalg.inv(values(total)).T
    leading = np.append(transform_in[:-1, -2], transform_in[-1, -1])[:, None]
    return values(rows).T, values(taps) * leading, transform_in / leading


@dataclass(frozen=True)
class Winograd(Method):
    """The transforms and the transformed kernel, (t, 1, filters, kw * channels).

    `t = tile + kh - 1` input rows make a tile of output rows.
    """

    spreads = True
    geometry: Geometry
    tile: int
    transform_in: np.ndarray  # B^T (t, t)
    weights: np.ndarray
    transform_out: np.ndarray  # A^T (tile, t)

    @staticmethod
    def covers(geometry: Geometry) -> bool:
        """Whether every step is 1 and a tile of this kernel is exact enough."""
        return geometry.is_dense and _tile(geometry) is not None

    @staticmethod
    def cost(geometry: Geometry) -> float:
        """Estimate the time per example, in multiplications of a matrix product."""
        tile = _tile(geometry) or 1
        (height, width), total = geometry.out, tile + geometry.kernel[0] - 1
        tiles = -(-height // tile)
        inputs = tiles * total * total * (width + geometry.kernel[1] - 1) * geometry.channels
        outputs = tiles * tile * total * width * geometry.filters
        products = tiles * total * width * geometry.kernel[1] * geometry.channels * geometry.filters
        return products + 6 * (inputs + outputs)  # products of six columns run at a sixth of peak

    @classmethod
    def prepare(cls, kernel: np.ndarray, geometry: Geometry) -> Self:
        """Transform a kernel (kh, kw, channels, filters), in float64."""
        taps = geometry.kernel[0]
        tile = _tile(geometry) or _SMALLEST_TILE
        total = tile + taps - 1
        transform_out, transform_kernel, transform_in = toom_cook(tile, taps, POINTS[total])
        transformed = np.einsum("ta,abcf->tfbc", transform_kernel, kernel)
        weights = transformed.reshape(total, 1, geometry.filters, -1)
        parts = (
            np.ascontiguousarray(p, kernel.dtype) for p in (transform_in, weights, transform_out)
        )
        return cls(geometry, tile, *parts)

    def inlet(self, rows: int, examples: int, dtype: np.dtype, workspace: Workspace) -> Inlet:
        """Return where the input goes, inside its zero padding and that of the last tile."""
        below = max(-(-rows // self.tile) * self.tile - self.geometry.out[0], 0)
        return inlet(("inlet", id(self)), self.geometry, below, examples, dtype, workspace)

    def row_blocks(
        self, padded: np.ndarray, rows: int, step: int, workspace: Workspace
    ) -> Iterator[RowBlock]:
        """Yield (first row, outputs (rows, out width, filters, n)) of padded images."""
        row_elements = self.geometry.out[1] * self.geometry.filters * padded.shape[3]
        for start, stop in row_bounds(rows, int(np.lcm(step, self.tile)), row_elements):
            inputs = self._transform_input(
                padded, start, -(-(stop - start) // self.tile), workspace
            )
            out = self._transform_output(self._multiply(inputs, workspace), workspace)
            yield start, out[: stop - start]

    def _transform_input(
        self, padded: np.ndarray, start: int, tiles: int, workspace: Workspace
    ) -> np.ndarray:
        """Apply B^T to overlapping tiles of rows: (tiles, t, padded width, C, n)."""
        total = len(self.transform_in)
        by_row = padded.strides[0]
        tiled = as_strided(
            padded[start:],
            (tiles, total, *padded.shape[1:]),
            (by_row * self.tile, *padded.strides),
            writeable=False,
        )
        inputs = workspace.array("transformed", tiled.shape, padded.dtype)
        _combine_rows(self.transform_in, tiled, inputs)
        return inputs

    def _multiply(self, inputs: np.ndarray, workspace: Workspace) -> np.ndarray:
        """Multiply to (tiles, t, out width, filters, n)."""
        geometry = self.geometry
        tiles, total, _, channels, examples = inputs.shape
        windows = as_strided(
            inputs,
            (tiles, total, geometry.out[1], geometry.kernel[1] * channels, examples),
            inputs.strides,
            writeable=False,
        )
        shape = (tiles, total, geometry.out[1], geometry.filters, examples)
        return multiply(self.weights, windows, workspace.array("products", shape, inputs.dtype))

    def _transform_output(self, products: np.ndarray, workspace: Workspace) -> np.ndarray:
        """Apply A^T: (tiles * tile, out width, filters, n)."""
        tiles, _, *cells = products.shape
        out = workspace.array("convolved", (tiles, self.tile, *cells), products.dtype)
        _combine_rows(self.transform_out, products, out)
        return out.reshape(tiles * self.tile, *cells)


def _combine_rows(matrix: np.ndarray, x: np.ndarray, out: np.ndarray) -> None:
    """Multiply a matrix (r, t) by the rows of each tile, x (tiles, t, width, C, n), into `out`.

    One product for each column of cells: BLAS takes small ones as they are, and copies large ones.
    """
    np.matmul(matrix, _by_column(x), out=_by_column(out))


def _by_column(x: np.ndarray) -> np.ndarray:
    """View (tiles, rows, width, C, n) as (tiles, width, rows, C * n)."""
    return x.reshape(*x.shape[:3], -1).transpose(0, 2, 1, 3)


def _tile(geometry: Geometry) -> int | None:
    """The rows of a tile; None for a kernel whose products would be rounded too much, or not fewer.

    Tiles of six products lose as much as any method in a sum over many channels. A sum of over 64
    terms must then be rounded as little as OpenBLAS's kernels for AVX-512 do: with those for AVX2
    and older ones the largest error would be up to five times that of Keras, with F(2, 3) it is up
    to twice.
    """
    terms, library = geometry.kernel[1] * geometry.channels, blas()
    exact = terms <= _SHORT or (library is not None and library.core in _AVX512_CORES)
    large = exact and geometry.channels >= 16 and geometry.out[0] >= 4
    if geometry.kernel[0] == 3:
        return 4 if large else _SMALLEST_TILE
    return 2 if geometry.kernel[0] == 5 and large else None
