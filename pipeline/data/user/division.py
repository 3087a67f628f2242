"""What the readers of a user's own data share: where it lies, its classes, its three parts."""

from __future__ import annotations

import os
from collections.abc import Collection, Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from pipeline.data.sampling import held_out_shares
from pipeline.errors import DatasetError

WHOLE = "whole"
"""The part that examples belong to where nothing says which one."""

PART_NAMES: dict[str, str] = {
    "train": "train",
    "validation": "validation",
    "valid": "validation",
    "val": "validation",
    "test": "test",
}
"""What files, folders and values of a column are called, and the part that each means."""


@dataclass(frozen=True)
class Division:
    """How examples are divided where the data do not say.

    Attributes:
        validation_share: of each class's examples that are for validation.
        test_share: of each class's examples that are for the test.
        seed: decides which.
    """

    validation_share: float
    test_share: float
    seed: int


def locate(path: str, data_dir: Path) -> Path:
    """Find a user's own data: at `path`, else under the same name in the data directory.

    Raises:
        DatasetError: it lies at neither place.
    """
    places = (Path(path), data_dir / Path(path).name)
    for place in places:
        if os.path.exists(place):  # noqa: PTH110 - False where pathlib raises: no right to look
            return place
    raise DatasetError(f"dataset.path={path} is not there, and neither is {places[1]}.")


def class_names(found: Iterable[str], given: Sequence[str] | None, source: Path) -> tuple[str, ...]:
    """Put classes in label order: as given, else as found, in numerical or alphabetical order.

    Raises:
        DatasetError: fewer than two.
    """
    names = tuple(given) if given is not None else tuple(_sorted(set(found)))
    if len(names) < 2:
        raise DatasetError(
            f"{source} has {len(names)} class{'' if len(names) else 'es'} "
            f"({', '.join(map(repr, names)) or 'no labels'}): expected at least 2."
        )
    return names


def label_of(name: str, classes: Sequence[str], place: str) -> int:
    """Give the index of a class; DatasetError with the place for one that is not among them."""
    if name not in classes:
        raise DatasetError(f"{place} has the label {name!r}: expected one of {', '.join(classes)}.")
    return classes.index(name)


def three_parts(
    parts: Sequence[str],
    labels: NDArray[np.int64],
    classes: Sequence[str],
    division: Division,
    source: Path,
) -> tuple[NDArray[np.int64], ...]:
    """Say which examples are for training, validation and test.

    Args:
        parts: the part that each of N examples belongs to, `WHOLE` where nothing says.
        labels: class indices, shape ``(N,)``.
        classes: class names in label order.
        division: of what has no part yet.
        source: where the data come from, for errors.

    Returns:
        Three arrays of ascending indices.

    Raises:
        DatasetError: a part, or a class in a part, lacks.
    """
    of_part = {part: _where(parts, part) for part in dict.fromkeys(parts)}
    if WHOLE in of_part:
        shares: tuple[float, ...] = (division.validation_share, division.test_share)
        train, validation, test = held_out_shares(labels, shares, division.seed, classes)
    else:
        _expect_train_and_test(of_part, source)
        train, test = of_part["train"], of_part["test"]
        if "validation" in of_part:
            validation = of_part["validation"]
        else:
            shares = (division.validation_share,)
            rest, held = held_out_shares(labels[train], shares, division.seed, classes)
            train, validation = train[rest], train[held]
    for part, indices in (("train", train), ("validation", validation), ("test", test)):
        _expect_every_class(part, labels[indices], classes, source)
    return train, validation, test


def division_phrase(parts: Iterable[str]) -> str:
    """Say in a phrase who decided which example belongs to which part."""
    known = set(parts)
    if WHOLE in known:
        return "divided by a seeded stratified choice"
    return "divided as given" + ("" if "validation" in known else ", validation held out of train")


def _sorted(names: Iterable[str]) -> list[str]:
    unordered = list(names)
    if all(name.isdecimal() for name in unordered):
        return sorted(unordered, key=lambda name: (int(name), name))
    return sorted(unordered)


def _where(parts: Sequence[str], part: str) -> NDArray[np.int64]:
    return np.flatnonzero(np.array(parts) == part).astype(np.int64)


def _expect_train_and_test(parts: Collection[str], source: Path) -> None:
    for needed in ("train", "test"):
        if needed not in parts:
            raise DatasetError(
                f"{source} has the part{'s' if len(parts) > 1 else ''} {' and '.join(parts)}, but "
                f"not {needed}: expected train, test and, if you like, validation."
            )


def _expect_every_class(
    part: str, labels: NDArray[np.int64], classes: Sequence[str], source: Path
) -> None:
    counts = np.bincount(labels, minlength=len(classes))
    missing = [name for name, count in zip(classes, counts, strict=True) if not count]
    if missing:
        raise DatasetError(
            f"{source} has no {part} example of the class {missing[0]!r}: expected at least one of "
            "each class in each part, as scores are means over classes."
        )
