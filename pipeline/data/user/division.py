"""What the readers of a user's own data share: its classes, and its three parts."""

from __future__ import annotations

import re
import unicodedata
from collections import Counter
from collections.abc import Collection, Hashable, Iterable, Sequence
from dataclasses import dataclass
from decimal import Decimal
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


LONGEST_NAME = 200  # characters of a class; MLflow takes 250 in `validation/f1/<class>`

_NUMBER = re.compile(r"[+-]?\d+(\.\d+)?")
_BOOLEANS = ("true", "false")
_MOST_LISTED = 20  # classes that an error names


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


def class_names(found: Iterable[str], given: Sequence[str] | None, source: Path) -> tuple[str, ...]:
    """Put classes in label order: as given, else as found, in numerical or alphabetical order.

    Raises:
        DatasetError: fewer than two, one twice, or a name that no run can be logged with.
    """
    labels = set(found)
    names = _sorted(labels) if given is None else [_as_found(name, labels) for name in given]
    if len(names) < 2:
        raise DatasetError(
            f"{source} has {len(names)} class{'' if len(names) else 'es'} "
            f"({', '.join(map(repr, names)) or 'no labels'}): expected at least 2."
        )
    for name, times in Counter(names).items():
        if times > 1:
            raise DatasetError(f"dataset.classes names {name!r} {times} times: expected once.")
        _expect_usable(name, source)
    return tuple(names)


def label_indices(
    labels: Sequence[str], classes: Sequence[str], places: Sequence[str]
) -> NDArray[np.int64]:
    """Give the index of each label's class, int64 of shape ``(N,)``.

    Args:
        labels: N class names.
        classes: class names in label order.
        places: where each label stands, for the error.

    Raises:
        DatasetError: for the first that is not among the classes.
    """
    index_of = {name: index for index, name in enumerate(classes)}
    for label, place in zip(labels, places, strict=True):
        if label not in index_of:
            raise DatasetError(
                f"{place} has the label {label!r}: expected one of {_listed(classes)}."
            )
    return np.array([index_of[label] for label in labels], np.int64)


def three_parts(
    parts: Sequence[str],
    labels: NDArray[np.int64],
    classes: Sequence[str],
    division: Division,
    source: Path,
    contents: Sequence[Hashable] | None = None,
) -> tuple[NDArray[np.int64], ...]:
    """Say which examples are for training, validation and test.

    Args:
        parts: the part that each of N examples belongs to, `WHOLE` where nothing says.
        labels: class indices, shape ``(N,)``.
        classes: class names in label order.
        division: of what has no part yet.
        source: where the data come from, for errors.
        contents: N values, equal for copies of an example, which then stay in one part of those
            that are divided here; None where no two are known to be.

    Returns:
        Three arrays of ascending indices.

    Raises:
        DatasetError: a part, or a class in a part, lacks.
    """
    of_part = {part: _where(parts, part) for part in dict.fromkeys(parts)}
    if WHOLE in of_part:
        shares: tuple[float, ...] = (division.validation_share, division.test_share)
        train, validation, test = held_out_shares(labels, shares, division.seed, classes, contents)
    else:
        _expect_train_and_test(of_part, source)
        train, test = of_part["train"], of_part["test"]
        if "validation" in of_part:
            validation = of_part["validation"]
        else:
            shares = (division.validation_share,)
            of_train = None if contents is None else [contents[index] for index in train]
            rest, held = held_out_shares(labels[train], shares, division.seed, classes, of_train)
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


def _sorted(names: Collection[str]) -> list[str]:
    if all(_NUMBER.fullmatch(name) for name in names):
        return sorted(names, key=lambda name: (Decimal(name), name))
    return sorted(names)


def _as_found(name: str, labels: Collection[str]) -> str:
    """A class as the data spell it: `True` on the command line is read as a boolean, `true`."""
    spellings = [label for label in (name, name.capitalize(), name.upper()) if label in labels]
    return spellings[0] if name in _BOOLEANS and spellings else name


def _expect_usable(name: str, source: Path) -> None:
    """Refuse a class name that MLflow, a file or a terminal would not take, before any training."""
    if len(name) > LONGEST_NAME:
        raise DatasetError(
            f"{source} has a class whose name has {len(name)} characters, {name[:20]!r}...: "
            f"expected at most {LONGEST_NAME}."
        )
    if any(unicodedata.category(character) in ("Cc", "Cs") for character in name):
        raise DatasetError(
            f"{source} has the class {name!a}: expected a name in UTF-8 without control characters."
        )


def _listed(names: Sequence[str]) -> str:
    rest = f", ... ({len(names):,} in all)" if len(names) > _MOST_LISTED else ""
    return ", ".join(names[:_MOST_LISTED]) + rest


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
