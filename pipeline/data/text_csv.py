"""Labelled texts in CSV files: read and checked as a whole, or refused with the line number."""

from __future__ import annotations

import csv
import io
from collections.abc import Iterator, Sequence
from pathlib import Path

import numpy as np

from pipeline.data.examples import Examples
from pipeline.errors import DatasetError

DELIMITERS = (",", ";", "\t")


def parse(path: Path, content: bytes, columns: Sequence[str], classes: Sequence[str]) -> Examples:
    """Parse a CSV file with a header (RFC 4180, UTF-8).

    Args:
        path: source of the content, for errors.
        content: the whole file.
        columns: the expected header, which includes `text` and `label`.
        classes: class names in label order, as spelled in the column `label`.

    Raises:
        DatasetError: when the file is truncated or has other columns, an unknown label, an empty
            text or no records.
    """
    texts, labels = [], []
    for line, row in _rows(path, _decode(path, content)):
        if line == 1:
            expect(row == list(columns), path, 1, f"has the columns {row}", f"{list(columns)}")
            continue
        record = _record(path, line, row, columns)
        expect_text(record["text"], path, line)
        found = f"has the label {record['label']!r}"
        expect(record["label"] in classes, path, line, found, f"one of {', '.join(classes)}")
        texts.append(record["text"])
        labels.append(classes.index(record["label"]))
    if not texts:
        raise _without_records(path)
    return Examples(tuple(texts), np.array(labels, np.int64))


def records(
    path: Path, content: bytes, wanted: Sequence[str]
) -> Iterator[tuple[int, dict[str, str]]]:
    """Read the records of a user's CSV file, each with the number of its first line.

    Fields are separated by commas, semicolons or tabs: the one that yields the wanted columns in
    the header. White space around column names and rows without content are ignored.

    Args:
        path: source of the content, for errors.
        content: the whole file, UTF-8 with or without a byte order mark.
        wanted: required columns; further ones are allowed.

    Raises:
        DatasetError: when a column is missing, or the file is truncated, malformed or empty.
    """
    text = _decode(path, content)
    delimiter, header = _header(path, text, wanted)
    empty = True
    for number, (line, row) in enumerate(_rows(path, text, delimiter)):
        if number and any(field.strip() for field in row):
            empty = False
            yield line, _record(path, line, row, header)
    if empty:
        raise _without_records(path)


def table(path: Path, content: bytes, wanted: Sequence[str]) -> tuple[list[str], list[list[str]]]:
    """Read a user's CSV file as a whole: its column names and every row that is not blank.

    Args:
        path: source of the content, for errors.
        content: the whole file, as for `records`.
        wanted: required columns; further ones are allowed.

    Raises:
        DatasetError: when a column is missing, or the file is truncated or malformed.
    """
    text = _decode(path, content)
    delimiter, header = _header(path, text, wanted)
    rows = []
    for number, (line, row) in enumerate(_rows(path, text, delimiter)):
        if number:
            _expect_columns(path, line, row, header)
            rows.append(row)
    return header, rows


def expect(condition: bool, path: Path, line: int, found: str, expected: str) -> None:
    """Raise DatasetError with the line, what was found and what is allowed, unless `condition`."""
    if not condition:
        raise DatasetError(f"{path}, line {line} {found}: expected {expected}.")


def expect_text(text: str, path: Path, line: int) -> None:
    """Raise DatasetError if the text of a line is empty."""
    expect(bool(text.strip()), path, line, "has an empty text", "some words")


def _decode(path: Path, content: bytes) -> str:
    try:
        return content.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        line = content.count(b"\n", 0, error.start) + 1
        raise DatasetError(f"{path}, line {line} is not UTF-8 (byte {error.start:,}).") from error


def _header(path: Path, text: str, wanted: Sequence[str]) -> tuple[str, list[str]]:
    """Return the delimiter and the column names that it yields."""
    headers = {delimiter: _first_row(text, delimiter) for delimiter in DELIMITERS}
    for delimiter, header in headers.items():
        if set(wanted) <= set(header):
            for name in wanted:
                found = f"has {header.count(name)} columns `{name}`"
                expect(header.count(name) == 1, path, 1, found, "one")
            return delimiter, header
    best = max(headers.values(), key=len)
    if not best:
        next(_rows(path, text), None)  # raises the error for malformed quotes
        raise _without_records(path)
    columns = " and ".join(f"`{name}`" for name in wanted)
    found = f"has the columns {', '.join(map(repr, best))}"
    raise DatasetError(f"{path}, line 1 {found}: expected {columns} among them.")


def _first_row(text: str, delimiter: str) -> list[str]:
    """Return the column names by a delimiter; empty if the quotes are malformed for it."""
    try:
        rows = csv.reader(io.StringIO(text, newline=""), delimiter=delimiter, strict=True)
        return [name.strip() for name in next(filter(None, rows), [])]
    except csv.Error:
        return []


def _rows(path: Path, text: str, delimiter: str = ",") -> Iterator[tuple[int, list[str]]]:
    """Yield the rows, each with the number of its first line; blank lines are skipped."""
    reader = csv.reader(io.StringIO(text, newline=""), delimiter=delimiter, strict=True)
    line = 1
    try:
        for row in reader:
            if row:
                yield line, row
            line = reader.line_num + 1
    except csv.Error as error:
        raise DatasetError(f"{path}, line {line} is truncated or malformed: {error}.") from error


def _record(path: Path, line: int, row: list[str], columns: Sequence[str]) -> dict[str, str]:
    _expect_columns(path, line, row, columns)
    return dict(zip(columns, row, strict=True))


def _expect_columns(path: Path, line: int, row: list[str], columns: Sequence[str]) -> None:
    found, expected = f"has {len(row)} columns", f"{len(columns)} ({', '.join(columns)})"
    expect(len(row) == len(columns), path, line, found, expected)


def _without_records(path: Path) -> DatasetError:
    return DatasetError(f"{path} has no records: expected a header and at least one record.")
