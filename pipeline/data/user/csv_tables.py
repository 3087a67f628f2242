"""`csv` with `features`: the user's own table of numbers, in one CSV file or one file per split."""

from __future__ import annotations

import hashlib
from array import array
from collections.abc import Sequence
from dataclasses import dataclass, field
from functools import partial
from pathlib import Path
from typing import Any, Literal

import numpy as np
from numpy.typing import NDArray

from pipeline.data.examples import Examples, Source
from pipeline.data.published.download import read_bytes
from pipeline.data.sampling import copies_together, strata
from pipeline.data.text_csv import expect, records
from pipeline.data.user.csv_labels import csv_labels, number_in
from pipeline.data.user.csv_texts import csv_files, part_named
from pipeline.data.user.division import (
    Division,
    division_phrase,
    three_parts,
)
from pipeline.data.user.location import locate
from pipeline.errors import DatasetError


def read(
    data_dir: Path,
    *,
    path: str,
    features: Literal["all"] | Sequence[str],
    label_column: str,
    validation_share: float,
    test_share: float,
    split_seed: int,
    split_column: str | None = None,
    classes: Sequence[str] | None = None,
    task: str | None = None,
) -> Source:
    """Read a CSV file, or a folder with `train.csv`, `test.csv` and optionally `validation.csv`.

    Labels are class names, or targets of a regression if `task` says so or all of them are numbers
    and some have a fraction.

    Args:
        data_dir: searched for data of the same name, to mention them if `path` does not exist.
        path: the file or the folder.
        features: names of the columns of numbers; `all` uses every column that has numbers, except
            labels and splits.
        label_column: name of the column of labels.
        validation_share: share of each class for validation, if the data define no splits.
        test_share: share of each class for the test, if the data define no splits.
        split_seed: decides which examples are held out.
        split_column: name of the column with train, validation or test; None if there is none.
        classes: class names in label order; None uses the classes found.
        task: the meaning of the labels, if it is given.

    Raises:
        DatasetError: when the data do not exist or are malformed.
    """
    source = locate(path, data_dir)
    rows, checksums = _Rows(features, label_column, split_column), {}
    for part, file in csv_files(source, split_column):
        content = read_bytes(file)
        checksums[file.relative_to(source.parent).as_posix()] = hashlib.sha256(content).hexdigest()
        rows.read(file, content, part)
    labels, names = _labels(rows, classes, task, source)
    everything = Examples(rows.numbers(), labels)
    groups, group_names = strata(labels, names)
    division = Division(validation_share, test_share, split_seed)
    divide = partial(three_parts, rows.parts, groups, group_names, division, source)
    return Source.divided(
        everything,
        copies_together(divide, everything.contents()),
        classes=names,
        origin=f"{source.name}, {rows.left_out()}{division_phrase(rows.parts, division)}",
        checksums=checksums,
        columns=tuple(rows.columns),
    )


@dataclass
class _Rows:
    """The rows of all files: numbers, labels, splits and places.

    Attributes:
        columns: the columns of numbers, once a file was read.
    """

    features: Literal["all"] | Sequence[str]
    label_column: str
    split_column: str | None
    columns: list[str] = field(default_factory=list)
    skipped: list[str] = field(default_factory=list)
    labels: list[str] = field(default_factory=list)
    parts: list[str] = field(default_factory=list)
    places: list[str] = field(default_factory=list)
    _numbers: array[float] = field(default_factory=lambda: array("d"))

    def read(self, file: Path, content: bytes, part: str) -> None:
        """Read the rows of one file.

        Raises:
            DatasetError: with the line of the first fault.
        """
        apart = [name for name in (self.label_column, self.split_column) if name is not None]
        wanted = apart if self.features == "all" else [*self.features, *apart]
        found = list(records(file, content, wanted))
        if not self.columns:
            self._choose([record for _, record in found], apart, file)
        for line, record in found:
            label = record[self.label_column].strip()
            expect(bool(label), file, line, "has an empty label", "a class or a number")
            for name in self.columns:
                self._numbers.append(_expected_number(record.get(name), name, file, line))
            if self.split_column is not None:
                part = part_named(record[self.split_column], self.split_column, file, line)
            self.labels.append(label)
            self.parts.append(part)
            self.places.append(f"{file}, line {line}")

    def _choose(self, found: list[dict[str, str]], apart: list[str], file: Path) -> None:
        """Choose the columns: a column without any number is left out of `all`."""
        if self.features != "all":
            self.columns = list(self.features)
            return
        for name in found[0]:
            if name not in apart:
                numeric = any(number_in(record[name]) is not None for record in found)
                (self.columns if numeric else self.skipped).append(name)
        if not self.columns:
            raise DatasetError(
                f"{file} has no column of numbers besides {' and '.join(apart)}: expected at least "
                "one for dataset.features=all."
            )

    def numbers(self) -> NDArray[np.float64]:
        """Return the numbers, shape `(N, columns)`."""
        return np.frombuffer(self._numbers, np.float64).reshape(-1, len(self.columns))

    def left_out(self) -> str:
        """Return a note on the columns that `all` left out; "" if there are none."""
        names = ", ".join(f"`{name}`" for name in self.skipped)
        return f"without {names} (no numbers), " if names else ""


def _expected_number(text: str | None, name: str, file: Path, line: int) -> float:
    number = number_in(text)
    if number is None:
        raise DatasetError(
            f"{file}, line {line} has {(text or '').strip()!r} in the column `{name}`: expected a "
            "finite number; dataset.features=[...] chooses other columns."
        )
    return number


def _labels(
    rows: _Rows, classes: Sequence[str] | None, task: str | None, source: Path
) -> tuple[NDArray[Any], tuple[str, ...]]:
    """Return class indices and names, or targets and the name of their column."""
    numbers = [number_in(label) for label in rows.labels]
    fractions = any(one is not None and not one.is_integer() for one in numbers)
    if task is None and not classes and None not in numbers and fractions:
        task = "regression"
    return csv_labels(rows.labels, rows.places, rows.label_column, classes, task, source)
