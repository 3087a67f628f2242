"""Depthwise convolution, computed as products with banded matrices.

A single channel gives matrix products of one row, whose time is mostly call overhead. The pixels of
a tile of a row together give a band matrix, which contains a row of the kernel once per pixel. Its
product with the columns under the tile takes half the time, although most of the band is zeros.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Self

import numpy as np

from scratch_forward.kernels.convolution.geometry import Geometry, Inlet, inlet
from scratch_forward.kernels.convolution.method import Method, RowBlock, row_bounds
from scratch_forward.kernels.runtime.workspace import Workspace

TILE = 8  # pixels; larger tiles have more zeros in their bands, smaller ones need more products


@dataclass(frozen=True)
class Depthwise(Method):
    """Depthwise convolution by bands, (kh, channels, tile, columns under a tile)."""

    spreads = True
    geometry: Geometry
    bands: np.ndarray

    @staticmethod
    def covers(geometry: Geometry) -> bool:
        """Whether every channel has exactly one filter, and rows have several pixels.

        With more filters per channel, the products of `Direct` have more rows and are faster.
        """
        return geometry.groups == geometry.channels == geometry.filters and geometry.out[1] > 1

    @staticmethod
    def cost(geometry: Geometry) -> float:
        """Half the cost of `Direct`, as measured."""
        return geometry.multiplications / 2

    @classmethod
    def prepare(cls, kernel: np.ndarray, geometry: Geometry) -> Self:
        """Arrange a kernel (kh, kw, 1, channels) as bands."""
        kh, kw, _, channels = kernel.shape
        tile, step, apart = min(TILE, geometry.out[1]), geometry.strides[1], geometry.dilation[1]
        columns = (tile - 1) * step + (kw - 1) * apart + 1
        bands = np.zeros((kh, channels, tile, columns), kernel.dtype)
        for column, cell in np.ndindex(kw, tile):
            bands[:, :, cell, cell * step + column * apart] = kernel[:, column, 0]
        return cls(geometry, bands)

    def inlet(self, rows: int, examples: int, dtype: np.dtype, workspace: Workspace) -> Inlet:
        """Return the view for the input inside its zero padding."""
        return inlet(("inlet", id(self)), self.geometry, 0, examples, dtype, workspace)

    def row_blocks(
        self, padded: np.ndarray, rows: int, step: int, workspace: Workspace
    ) -> Iterator[RowBlock]:
        """Yield (first row, outputs (rows, out width, channels, n)) of padded images."""
        width, (channels, examples) = self.geometry.out[1], padded.shape[2:]
        tile, down = self.bands.shape[2], self.geometry.strides[0]
        for start, stop in row_bounds(rows, step, width * channels * examples):
            shape = (stop - start, width, channels, examples)
            out = workspace.array("convolved", shape, padded.dtype)
            for left in range(0, width, tile):
                first = min(left, width - tile)  # the last tile may overlap the previous one
                self._tile(padded[start * down :], first, out[:, first : first + tile], workspace)
            yield start, out

    def _tile(self, padded: np.ndarray, left: int, out: np.ndarray, workspace: Workspace) -> None:
        """Sum the products of bands and input over the kernel's rows: (rows, tile, channels, n)."""
        (down, right), apart = self.geometry.strides, self.geometry.dilation[0]
        rows, columns = (len(out) - 1) * down + 1, self.bands.shape[3]
        seen = padded[:, left * right : left * right + columns].swapaxes(1, 2)
        total = out.swapaxes(1, 2)
        product = workspace.array("product", out.shape, out.dtype).swapaxes(1, 2)
        for row, band in enumerate(self.bands):
            under = seen[row * apart : row * apart + rows : down]
            np.matmul(band, under, out=product if row else total)
            if row:
                total += product
