"""Bit-identical weights, of models and of runs."""

from collections.abc import Iterable

import numpy as np


def same_arrays(one: Iterable[np.ndarray], other: Iterable[np.ndarray]) -> bool:
    """Whether both hold the same arrays; none at all is a fault of the test."""
    pairs = list(zip(one, other, strict=True))
    assert pairs
    return all(np.array_equal(first, second) for first, second in pairs)
