"""Says whether a method that spreads values fits the values of an input."""

import math
from collections.abc import Iterator
from functools import partial

import numpy as np

from scratch_forward.kernels.convolution.method import Call

SPOT = 64.0  # times the root mean square; groups with larger values are computed by Direct


class ValueRange:
    """The squares and the extreme values of an input, measured block by block in cache.

    Args:
        spots: Whether values far above the others do not fit. A pixel 10,000 times brighter than
            the others left errors of 5e-3 in Winograd's outputs of size 1 that do not see it;
            `Direct` has 3e-6.
    """

    def __init__(self, spots: bool) -> None:
        self._spots = spots
        self._elements = 0
        self._squares: list[np.ndarray] = []
        self._highest: list[np.ndarray] = []
        self._lowest: list[np.ndarray] = []

    def calls(self, rows: np.ndarray) -> Iterator[Call]:
        """Yield the calls that measure a block of rows (r, width, channels, n)."""
        flat = rows.reshape(-1)
        self._elements += flat.size
        yield partial(np.dot, flat, flat, out=_number(self._squares, rows.dtype))
        if self._spots:
            yield partial(np.maximum.reduce, flat, out=_number(self._highest, rows.dtype))
            yield partial(np.minimum.reduce, flat, out=_number(self._lowest, rows.dtype))

    def fits(self) -> bool:
        """Whether all values are finite, small enough to be squared, and without spots."""
        squares = sum(map(float, self._squares))
        if not (self._spots and math.isfinite(squares)):
            return math.isfinite(squares)
        extremes = [*map(float, self._highest), *(-float(low) for low in self._lowest)]
        return max(extremes) ** 2 <= SPOT**2 * squares / self._elements


def _number(numbers: list[np.ndarray], dtype: np.dtype) -> np.ndarray:
    """Return an array without axes, and keep it."""
    numbers.append(np.empty((), dtype))
    return numbers[-1]
