"""Fixed stratified samples that do not depend on a run's seed."""

from collections import Counter
from collections.abc import Callable, Hashable, Iterator, Sequence
from typing import Any, TypeVar

import numpy as np
from numpy.typing import NDArray

from pipeline.data.label_task import task_of_labels
from pipeline.errors import DatasetError

Division = TypeVar("Division")
_SEED = 20_190_523  # any fixed number: samples must not depend on a run's seed


def strata(labels: NDArray[Any], names: Sequence[str]) -> tuple[NDArray[np.int64], Sequence[str]]:
    """Return the group of each example that every sample contains in proportion, and their names.

    These are the classes; other labels form one group.

    Args:
        labels: labels as in `Split`.
        names: class names in label order.
    """
    if task_of_labels(labels) == "multiclass":
        return labels, names
    return np.zeros(len(labels), np.int64), ("example",)


def stratified_order(labels: NDArray[np.int64]) -> NDArray[np.int64]:
    """Return a fixed order of all examples in which every prefix is a stratified sample.

    The first examples are one of each class. After them, each class advances through its own
    shuffled examples in proportion to its share. Prefixes of one order are nested by construction.

    Args:
        labels: class indices, shape ``(N,)``.

    Returns:
        A permutation of ``0..N-1``, int64 of shape ``(N,)``.
    """
    shuffle = np.random.RandomState(_SEED)  # its stream is frozen across NumPy versions
    progress = np.empty(len(labels))
    for members in _by_label(labels, len(np.bincount(labels))):
        if not len(members):
            continue
        members = shuffle.permutation(members)
        progress[members] = (np.arange(len(members)) + 0.5) / len(members)
        progress[members[0]] = -1.0
    return np.lexsort((labels, progress)).astype(np.int64)


def stratified_subset(labels: NDArray[np.int64], size: int, data_set: str) -> NDArray[np.int64]:
    """Choose a fixed stratified subset; a larger subset contains every smaller one.

    Args:
        labels: class indices of all training examples, shape ``(N,)``.
        size: number of examples to keep.
        data_set: name of the data set, for the error.

    Returns:
        Ascending indices, int64 of shape ``(size,)``.

    Raises:
        DatasetError: when the size exceeds N or is below the number of classes.
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
        sizes: number of examples in each held-out part.

    Returns:
        Ascending indices: the remaining examples first, then one array per size.
    """
    order = stratified_order(labels)
    *parts, rest = np.split(order, np.cumsum(sizes))
    return tuple(np.sort(part) for part in (rest, *parts))


def held_out_shares(
    labels: NDArray[np.int64],
    shares: Sequence[float],
    seed: int,
    classes: Sequence[str],
    contents: Sequence[Hashable] | None = None,
) -> tuple[NDArray[np.int64], ...]:
    """Split examples into the remaining ones and a held-out share of every class.

    Each part gets its share of each class, rounded, and at least one example. All copies of an
    example are in the same part, even if their labels differ. If there are no copies, `contents`
    has no effect.

    Args:
        labels: class indices, shape ``(N,)``.
        shares: share of the examples in each held-out part.
        seed: decides which examples are held out.
        classes: class names, for the error.
        contents: N values, equal for copies of an example; None if no copies are known.

    Returns:
        Ascending indices: the remaining examples first, then one array per share.

    Raises:
        DatasetError: when a class has too few examples for one in each part.
    """
    shuffle = np.random.RandomState(seed)  # its stream is frozen across NumPy versions
    keys = range(len(labels)) if contents is None else contents
    part_of: dict[Hashable, int] = {}  # 0: the remaining ones
    for members, name in zip(_by_label(labels, len(classes)), classes, strict=True):
        sizes = [max(1, int(share * len(members) + 0.5)) for share in shares]
        if sum(sizes) >= len(members):
            raise DatasetError(
                f"The class {name!r} has {_count(len(members))}: expected at least "
                f"{sum(sizes) + 1}, to hold out {' and '.join(map(str, sizes))} and train on one."
            )
        _divide([keys[index] for index in shuffle.permutation(members)], sizes, part_of)
        distinct = {keys[index] for index in members}
        if len({part_of[key] for key in distinct}) <= len(shares):
            raise DatasetError(
                f"The class {name!r} has {_count(len(members))}, but only {len(distinct)} without "
                f"copies: too few for one in each of {len(shares) + 1} parts, as copies of an "
                "example stay in one part."
            )
    parts = np.array([part_of[key] for key in keys])
    return tuple(np.flatnonzero(parts == part) for part in range(len(shares) + 1))


def copies_together(
    divide: Callable[[Sequence[Hashable] | None], Division], contents: Sequence[Hashable]
) -> Division:
    """Divide numbers with copies in one part, or regardless of copies where that is impossible.

    Rows of few numbers may all be copies of a few, which is no fault.

    Args:
        divide: divides examples, given N values that are equal for copies, or None.
        contents: these values.
    """
    try:
        return divide(contents)
    except DatasetError:
        return divide(None)


def _divide(keys: Sequence[Hashable], sizes: Sequence[int], part_of: dict[Hashable, int]) -> None:
    """Assign every key to a part; held-out parts are filled in order, each up to its size.

    A key is assigned with all of its copies. If they exceed the remaining room, the next key is
    tried; a part that would stay empty gets the key with the fewest copies.
    """
    copies = Counter(keys)
    free = [key for key in copies if key not in part_of]
    for part, size in enumerate(sizes, start=1):
        room = size - sum(copies[key] for key in copies if part_of.get(key) == part)
        taken = []
        for key in free:
            if room <= 0:
                break
            if copies[key] <= room:
                taken.append(key)
                room -= copies[key]
        if room == size:
            taken = [min(free, key=copies.__getitem__)] if len(free) > 1 else []
        part_of |= dict.fromkeys(taken, part)
        free = [key for key in free if key not in part_of]
    part_of |= dict.fromkeys(free, 0)


def _by_label(labels: NDArray[np.int64], classes: int) -> Iterator[NDArray[np.int64]]:
    """Yield the ascending indices of each class's examples, in label order."""
    order = np.argsort(labels, kind="stable")
    bounds = np.searchsorted(labels[order], np.arange(1, classes))
    yield from np.split(order, bounds)


def _count(examples: int) -> str:
    return f"{examples} example{'' if examples == 1 else 's'}"
