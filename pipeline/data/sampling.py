"""Fixed stratified samples: the same for every run, whatever its seed."""

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from pipeline.errors import DatasetError

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


def held_out_shares(
    labels: NDArray[np.int64], shares: Sequence[float], seed: int, classes: Sequence[str]
) -> tuple[NDArray[np.int64], ...]:
    """Split examples into the remaining ones and held-out shares of every class.

    Each part gets its share of each class, rounded, and at least one example.

    Args:
        labels: class indices, shape ``(N,)``.
        shares: of the examples that each held-out part has.
        seed: decides which.
        classes: their names, for the error.

    Returns:
        Ascending indices: the remaining examples first, then one array for each share.

    Raises:
        DatasetError: a class has too few examples for one in each part.
    """
    shuffle = np.random.RandomState(seed)  # its stream is frozen across NumPy versions
    parts: list[list[NDArray[np.int64]]] = [[] for _ in range(len(shares) + 1)]
    for label, name in enumerate(classes):
        members = shuffle.permutation(np.flatnonzero(labels == label))
        sizes = [max(1, int(share * len(members) + 0.5)) for share in shares]
        if sum(sizes) >= len(members):
            raise DatasetError(
                f"The class {name!r} has {_count(len(members))}: expected at least "
                f"{sum(sizes) + 1}, to hold out {' and '.join(map(str, sizes))} and train on one."
            )
        *held, rest = np.split(members, np.cumsum(sizes))
        for part, indices in zip(parts, (rest, *held), strict=True):
            part.append(indices)
    return tuple(np.sort(np.concatenate(part)) for part in parts)


def _count(examples: int) -> str:
    return f"{examples} example{'' if examples == 1 else 's'}"
