"""What the readers of the user's own data share: determining classes and splits."""

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
"""The part of examples that are not assigned to a split."""

PART_NAMES: dict[str, str] = {
    "train": "train",
    "validation": "validation",
    "valid": "validation",
    "val": "validation",
    "test": "test",
}
"""Accepted names of files, folders and column values, and the split that each means."""


LONGEST_NAME = 200  # characters in a class name; MLflow allows 250 in `validation/f1/<class>`

_NUMBER = re.compile(r"[+-]?\d+(\.\d+)?")
_BOOLEANS = ("true", "false")
_MOST_LISTED = 20  # maximum number of classes in an error message


@dataclass(frozen=True)
class Division:
    """How examples are split when the data do not define splits.

    Attributes:
        validation_share: share of each class for validation.
        test_share: share of each class for the test.
        seed: decides which examples are held out.
    """

    validation_share: float
    test_share: float
    seed: int

    @property
    def undivided(self) -> bool:
        """Whether all examples without a part are for the test, and no class is needed in a part.

        This is how data are read that a trained model is evaluated on.
        """
        return self.test_share == 1


def class_names(
    found: Iterable[str], given: Sequence[str] | None, source: Path | str
) -> tuple[str, ...]:
    """Return the classes in label order: as given, else in numerical or alphabetical order.

    Raises:
        DatasetError: when there are fewer than two classes, a duplicate, or a name that cannot be
            logged.
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
    """Return the class index of each label, int64 of shape ``(N,)``.

    Args:
        labels: N class names.
        classes: class names in label order.
        places: the location of each label, for the error.

    Raises:
        DatasetError: for the first label that is not among the classes.
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
    """Assign examples to training, validation and test.

    Args:
        parts: the part of each of N examples, `WHOLE` if the data define none.
        labels: class indices, shape ``(N,)``.
        classes: class names in label order.
        division: how to split the examples that have no part yet.
        source: location of the data, for errors.
        contents: N values, equal for copies of an example, which are then kept in one part when
            they are split here; None if no copies are known.

    Returns:
        Three arrays of ascending indices.

    Raises:
        DatasetError: when a part is empty or lacks a class, unless `division` is `undivided`.
    """
    of_part = {part: _where(parts, part) for part in dict.fromkeys(parts)}
    if division.undivided:
        test = of_part.get(WHOLE, _where(parts, "test"))
        return _where(parts, "train"), _where(parts, "validation"), test
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
        expect_every_class(part, labels[indices], classes, source)
    return train, validation, test


def division_phrase(parts: Iterable[str], division: Division | None = None) -> str:
    """Return a phrase that says whether the data or this project defined the splits."""
    known = set(parts)
    undivided = division is not None and division.undivided
    if WHOLE in known:
        return "not divided" if undivided else "divided by a seeded stratified choice"
    held_out = "validation" not in known and not undivided
    return "divided as given" + (", validation held out of train" if held_out else "")


def _sorted(names: Collection[str]) -> list[str]:
    if all(_NUMBER.fullmatch(name) for name in names):
        return sorted(names, key=lambda name: (Decimal(name), name))
    return sorted(names)


def _as_found(name: str, labels: Collection[str]) -> str:
    """Return the spelling of a class in the data: Hydra reads a typed `True` as a boolean."""
    spellings = [label for label in (name, name.capitalize(), name.upper()) if label in labels]
    return spellings[0] if name in _BOOLEANS and spellings else name


def _expect_usable(name: str, source: Path | str) -> None:
    """Refuse a class name that MLflow, a file name or a terminal cannot represent."""
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
                f"not {needed}: expected train, test and optionally validation."
            )


def expect_every_class(
    part: str, labels: NDArray[np.int64], classes: Sequence[str], source: Path | str
) -> None:
    """Refuse a part that lacks a class.

    Raises:
        DatasetError: for the first class without an example.
    """
    counts = np.bincount(labels, minlength=len(classes))
    missing = [name for name, count in zip(classes, counts, strict=True) if not count]
    if missing:
        raise DatasetError(
            f"{source} has no {part} example of the class {missing[0]!r}: expected at least one of "
            "each class in each part, as scores are means over classes."
        )
