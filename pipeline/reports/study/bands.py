"""A band over seeds: the mean curve of several runs, between the lowest and the highest."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np


@dataclass(frozen=True)
class Band:
    """Curves of several seeds, put together by epoch.

    Attributes:
        epochs: `(E,)`, from 1.
        mean: over the seeds that reached the epoch, `(E,)`.
        low: their least, `(E,)`.
        high: their greatest, `(E,)`.
    """

    epochs: np.ndarray
    mean: np.ndarray
    low: np.ndarray
    high: np.ndarray


def band(curves: Sequence[Sequence[float]]) -> Band:
    """Put curves together; those that stopped early count as long as they last."""
    longest = max(map(len, curves), default=0)
    table = np.full((len(curves), longest), np.nan)
    for row, curve in enumerate(curves):
        table[row, : len(curve)] = curve
    if not table.size:
        empty = np.zeros(0)
        return Band(empty, empty, empty, empty)
    epochs = np.arange(1, longest + 1)
    return Band(epochs, np.nanmean(table, 0), np.nanmin(table, 0), np.nanmax(table, 0))
