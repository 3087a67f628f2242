"""Depthwise convolution, of every channel by itself, as products with banded matrices.

A channel alone makes products of one row, which take the time of their calls. But the cells of a
tile of a row together are a band, the kernel's row once for each cell, times the columns that they
see: though most of the band is zeros, it takes half the time.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Self

import numpy as np

from scratch_forward.kernels.convolution.geometry import Geometry, Inlet, inlet
from scratch_forward.kernels.convolution.method import Method, RowBlock, row_bounds
from scratch_forward.kernels.runtime.workspace import Workspace

TILE = 8  # cells: the bands of more have more zeros, those of fewer make more products


@dataclass(frozen=True)
class Depthwise(Method):
    """The kernel's rows as bands: (kh, channels, tile, columns that a tile sees)."""

    spreads = True
    geometry: Geometry
    bands: np.ndarray

    @staticmethod
    def covers(geometry: Geometry) -> bool:
        """Whether every channel has one filter of its own, and rows have cells to take together.

        With more filters a channel, `Direct` has products of more rows and is faster.
        """
        return geometry.groups == geometry.channels == geometry.filters and geometry.out[1] > 1

    @staticmethod
    def cost(geometry: Geometry) -> float:
        """Half of what `Direct` takes, as measured."""
        return geometry.multiplications / 2

    @classmethod
    def prepare(cls, kernel: np.ndarray, geometry: Geometry) -> Self:
        """Lay a kernel (kh, kw, 1, channels) out along the bands."""
        kh, kw, _, channels = kernel.shape
        tile, step, apart = min(TILE, geometry.out[1]), geometry.strides[1], geometry.dilation[1]
        columns = (tile - 1) * step + (kw - 1) * apart + 1
        bands = np.zeros((kh, channels, tile, columns), kernel.dtype)
        for column, cell in np.ndindex(kw, tile):
            bands[:, :, cell, cell * step + column * apart] = kernel[:, column, 0]
        return cls(geometry, bands)

    def inlet(self, rows: int, examples: int, dtype: np.dtype, workspace: Workspace) -> Inlet:
        """Return where the input goes, inside its zero padding."""
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
                first = min(left, width - tile)  # the last tile may overlap the one before
                self._tile(padded[start * down :], first, out[:, first : first + tile], workspace)
            yield start, out

    def _tile(self, padded: np.ndarray, left: int, out: np.ndarray, workspace: Workspace) -> None:
        """Sum, over the kernel's rows, the bands times what they see: (rows, tile, channels, n)."""
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
