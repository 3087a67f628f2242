"""`csv`: the user's own labelled texts, in one CSV file or one file per split."""

from __future__ import annotations

import hashlib
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

from pipeline.data.examples import Examples, Source
from pipeline.data.published.download import read_bytes
from pipeline.data.sampling import strata
from pipeline.data.text_csv import expect, expect_text, records
from pipeline.data.user.csv_labels import csv_labels
from pipeline.data.user.division import (
    PART_NAMES,
    WHOLE,
    Division,
    division_phrase,
    three_parts,
)
from pipeline.data.user.location import locate
from pipeline.errors import DatasetError


@dataclass(frozen=True)
class Columns:
    """Names of the columns for the text, the label and, optionally, the split."""

    text: str
    label: str
    part: str | None

    @property
    def wanted(self) -> tuple[str, ...]:
        """All required column names."""
        return tuple(name for name in (self.text, self.label, self.part) if name is not None)


@dataclass(frozen=True)
class _LabelledText:
    place: str
    part: str
    text: str
    label: str


def read(
    data_dir: Path,
    *,
    path: str,
    text_column: str,
    label_column: str,
    validation_share: float,
    test_share: float,
    split_seed: int,
    split_column: str | None = None,
    classes: Sequence[str] | None = None,
    task: str | None = None,
) -> Source:
    """Read a CSV file, or a folder with `train.csv`, `test.csv` and optionally `validation.csv`.

    Args:
        data_dir: searched for data of the same name, to mention them if `path` does not exist.
        path: the file or the folder.
        text_column: name of the column of texts.
        label_column: name of the column of class names or, for a regression, of numbers.
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
    columns = Columns(text_column, label_column, split_column)
    files = csv_files(source, split_column)
    contents = {file: (part, read_bytes(file)) for part, file in files}
    rows = [
        row
        for file, (part, content) in contents.items()
        for row in _rows(file, content, columns, part)
    ]
    written, places = [row.label for row in rows], [row.place for row in rows]
    labels, names = csv_labels(written, places, label_column, classes, task, source)
    groups, group_names = strata(labels, names)
    parts = [row.part for row in rows]
    division = Division(validation_share, test_share, split_seed)
    everything = Examples(tuple(row.text for row in rows), labels)
    return Source.divided(
        everything,
        three_parts(parts, groups, group_names, division, source, everything.contents()),
        classes=names,
        origin=f"{source.name}, {division_phrase(parts, division)}",
        checksums={
            file.relative_to(source.parent).as_posix(): hashlib.sha256(content).hexdigest()
            for file, (_, content) in contents.items()
        },
    )


def csv_files(source: Path, split_column: str | None) -> list[tuple[str, Path]]:
    """Return each CSV file with the split that it holds.

    Raises:
        DatasetError: when a folder lacks the file of a split, or `split_column` is given for it.
    """
    if not source.is_dir():
        return [(WHOLE, source)]
    files = {name: source / f"{name}.csv" for name in PART_NAMES}
    found = [(PART_NAMES[name], file) for name, file in files.items() if file.is_file()]
    parts = [part for part, _ in found]
    if not {"train", "test"} <= set(parts) or len(parts) > len(set(parts)):
        raise DatasetError(
            f"{source} has {' and '.join(file.name for _, file in found) or 'no such file'}: "
            "expected train.csv, test.csv and optionally one validation.csv."
        )
    if split_column is not None:
        raise DatasetError(
            f"dataset.split_column={split_column} is for one file, but {source} is a folder with a "
            "file for each part: leave the column out."
        )
    return found


def _rows(file: Path, content: bytes, columns: Columns, part: str) -> Iterator[_LabelledText]:
    for line, record in records(file, content, columns.wanted):
        expect_text(record[columns.text], file, line)
        label = record[columns.label].strip()
        expect(bool(label), file, line, "has an empty label", "the name of a class")
        if columns.part is not None:
            part = part_named(record[columns.part], columns.part, file, line)
        yield _LabelledText(f"{file}, line {line}", part, record[columns.text], label)


def part_named(value: str, column: str, file: Path, line: int) -> str:
    """Return the split that a field of the column of splits names.

    Raises:
        DatasetError: when it names none.
    """
    part = PART_NAMES.get(value.strip().lower(), "")
    found = f"has {value.strip()!r} in the column `{column}`"
    expect(bool(part), file, line, found, "train, validation or test")
    return part
