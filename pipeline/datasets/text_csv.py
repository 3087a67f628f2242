"""Labelled texts in CSV files: read whole and checked, or refused with the place."""

from __future__ import annotations

import csv
import io
from collections.abc import Iterator, Sequence
from pathlib import Path

import numpy as np

from pipeline.datasets.errors import DatasetError
from pipeline.datasets.examples import Examples


def parse(path: Path, content: bytes, columns: Sequence[str], classes: Sequence[str]) -> Examples:
    """Parse a CSV file with a header (RFC 4180, UTF-8).

    Args:
        path: where the content comes from, for errors.
        content: the whole file.
        columns: the header that is expected; `text` and `label` among them.
        classes: class names in label order, as they stand in the column `label`.

    Raises:
        DatasetError: the file is truncated, has other columns, an unknown label, an empty text or
            no record at all.
    """
    texts, labels = [], []
    for line, row in _rows(path, content):
        if line == 1:
            _expect(row == list(columns), path, 1, f"has the columns {row}", f"{list(columns)}")
            continue
        found, expected = f"has {len(row)} columns", f"{len(columns)} ({', '.join(columns)})"
        _expect(len(row) == len(columns), path, line, found, expected)
        record = dict(zip(columns, row, strict=True))
        _expect(bool(record["text"].strip()), path, line, "has an empty text", "some words")
        found = f"has the label {record['label']!r}"
        _expect(record["label"] in classes, path, line, found, f"one of {', '.join(classes)}")
        texts.append(record["text"])
        labels.append(classes.index(record["label"]))
    if not texts:
        raise DatasetError(f"{path} has no records: expected a header and at least one record.")
    return Examples(tuple(texts), np.array(labels, np.int64))


def _rows(path: Path, content: bytes) -> Iterator[tuple[int, list[str]]]:
    """Read the rows, each with the number of the line it begins on; blank lines are passed over."""
    try:
        text = content.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        line = content.count(b"\n", 0, error.start) + 1
        raise DatasetError(f"{path}, line {line} is not UTF-8 (byte {error.start:,}).") from error
    reader = csv.reader(io.StringIO(text, newline=""), strict=True)
    line = 1
    try:
        for row in reader:
            if row:
                yield line, row
            line = reader.line_num + 1
    except csv.Error as error:
        raise DatasetError(f"{path}, line {line} is truncated or malformed: {error}.") from error


def _expect(condition: bool, path: Path, line: int, found: str, expected: str) -> None:
    if not condition:
        raise DatasetError(f"{path}, line {line} {found}: expected {expected}.")
