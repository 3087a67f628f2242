"""Fixed stratified samples: the same for every run, whatever its seed."""

import numpy as np
from numpy.typing import NDArray

from pipeline.datasets.errors import DatasetError

_SEED = 20_190_523  # any fixed number: samples must not depend on a run's seed


def stratified_order(labels: NDArray[np.int64]) -> NDArray[np.int64]:
    """Put all examples in a fixed order of which every beginning is a stratified sample.

    The first examples are one of each class; from there on every class advances through its own
    (shuffled) examples at the pace of its share. Beginnings of one order are nested by nature.

    Args:
        labels: class indices, shape ``(N,)``.

    Returns:
        A permutation of ``0..N-1``, int64 of shape ``(N,)``.
    """
    shuffle = np.random.RandomState(_SEED)  # its stream is frozen across NumPy versions
    progress = np.empty(len(labels))
    for label in np.unique(labels):
        members = shuffle.permutation(np.flatnonzero(labels == label))
        progress[members] = (np.arange(len(members)) + 0.5) / len(members)
        progress[members[0]] = -1.0
    return np.lexsort((labels, progress)).astype(np.int64)


def stratified_subset(labels: NDArray[np.int64], size: int, data_set: str) -> NDArray[np.int64]:
    """Choose a fixed stratified subset; smaller ones lie within larger ones.

    Args:
        labels: class indices of all training examples, shape ``(N,)``.
        size: how many to keep.
        data_set: its name, for the error.

    Returns:
        Ascending indices, int64 of shape ``(size,)``.

    Raises:
        DatasetError: the size is larger than N or smaller than the number of classes.
    """
    classes = len(np.unique(labels))
    if not classes <= size <= len(labels):
        raise DatasetError(
            f"train_size={size} is not possible with {data_set}: expected at least {classes} (one "
            f"example of each class) and at most {len(labels):,} (all its training examples)."
        )
    return np.sort(stratified_order(labels)[:size])


def held_out(labels: NDArray[np.int64], *sizes: int) -> tuple[NDArray[np.int64], ...]:
    """Split examples into the remaining ones and stratified held-out parts.

    Args:
        labels: class indices, shape ``(N,)``.
        sizes: how many examples each held-out part has.

    Returns:
        Ascending indices: the remaining examples first, then one array for each size.
    """
    order = stratified_order(labels)
    *parts, rest = np.split(order, np.cumsum(sizes))
    return tuple(np.sort(part) for part in (rest, *parts))
