"""Depthwise convolution, computed as products with banded matrices.

A single channel gives matrix products of one row, whose time is mostly call overhead. The pixels of
a tile of a row together give a band matrix, which contains a row of the kernel once per pixel. Its
product with the columns under the tile takes half the time, although most of the band is zeros.
"""

from dataclasses import dataclass
from functools import partial
from typing import Self

import numpy as np
from numpy.lib.stride_tricks import as_strided

from scratch_forward.kernels.convolution.geometry import Geometry
from scratch_forward.kernels.convolution.method import Block, Call, Method
from scratch_forward.kernels.convolution.unrolled_rows import unroll_rows, unrolled_row
from scratch_forward.kernels.runtime.workspace import Workspace

TILES = range(4, 9)  # cells; larger tiles have more zeros in their bands, smaller ones more calls


@dataclass(frozen=True)
class Depthwise(Method):
    """Depthwise convolution by bands, (channels, tile, columns under a tile * kh)."""

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
        tile, step, apart = _tile(geometry.out[1]), geometry.strides[1], geometry.dilation[1]
        columns = (tile - 1) * step + (kw - 1) * apart + 1
        bands = np.zeros((channels, tile, columns, kh), kernel.dtype)
        for column, cell in np.ndindex(kw, tile):
            bands[:, cell, cell * step + column * apart] = kernel[:, column, 0].T
        return cls(geometry, bands.reshape(channels, tile, columns * kh))

    @property
    def row_elements(self) -> int:
        """Elements per example of the unrolled input of an output row."""
        return unrolled_row(self.geometry)

    def block(self, padded: np.ndarray, start: int, stop: int, workspace: Workspace) -> Block:
        """Return the calls for output rows `start` to `stop`: copies, and products of all tiles."""
        width, (channels, examples), tile = self.geometry.out[1], padded.shape[2:], self._tile
        calls, unrolled = unroll_rows(self.geometry, 1, padded, start, stop, workspace)
        out = workspace.array("convolved", (stop - start, width, channels, examples), padded.dtype)
        calls.append(self._product(unrolled[0], 0, width // tile, out))
        if width % tile:  # the last tile overlaps the one before
            calls.append(self._product(unrolled[0], width - tile, 1, out))
        return Block(calls, out)

    @property
    def _tile(self) -> int:
        return self.bands.shape[1]

    def _product(self, unrolled: np.ndarray, left: int, tiles: int, out: np.ndarray) -> Call:
        """Return the product of the bands and the columns under tiles of all rows."""
        (_, tile, terms), right = self.bands.shape, self.geometry.strides[1]
        rows, _, kh, channels, examples = unrolled.shape
        by_row, by_column, _, by_channel, by_example = unrolled.strides
        under = as_strided(
            unrolled[:, left * right :],
            (rows, tiles, channels, terms, examples),
            (by_row, by_column * tile * right, by_channel, by_column // kh, by_example),
            writeable=False,
        )
        done = out[:, left : left + tiles * tile].reshape(rows, tiles, tile, channels, examples)
        return partial(np.matmul, self.bands, under, done.swapaxes(2, 3))


def _tile(width: int) -> int:
    """Return the cells of a tile: a divisor of the width if there is one of a suitable size."""
    return next((tile for tile in TILES if width % tile == 0), min(TILES[-1], width))
