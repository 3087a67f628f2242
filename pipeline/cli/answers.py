"""Input and output of `pipeline.predict`: one line per text or image, or a CSV table."""

import csv
import sys
from collections.abc import Iterable, Sequence
from contextlib import suppress
from pathlib import Path
from typing import Any

import numpy as np

from pipeline.cli.array_files import are_array_files, read_examples
from pipeline.cli.console import print_faults
from pipeline.data.printable import printable
from pipeline.data.published.download import read_bytes
from pipeline.data.text_csv import table
from pipeline.data.user.image_files import decode
from pipeline.settings import SettingsError
from scratch_forward import Classifier
from scratch_forward.predictions import AnyPrediction
from scratch_forward.preprocessing import (
    ArrayPreprocessing,
    ImagePreprocessing,
    InputsPreprocessing,
    Preprocessing,
    TablePreprocessing,
    TextPreprocessing,
)

TEXT = "text"  # the column that is read
_DECIDED = {"multiclass": ["class"], "binary": ["class"], "multilabel": ["labels"]}
"""The column that is added for the decision, by task; a regression decides nothing."""


def answer(classifier: Classifier, asked: Sequence[str]) -> None:
    """Print the predictions for texts, image files, arrays, or CSV files of texts or of numbers.

    Raises:
        SettingsError: when CSV files and texts are mixed, or the files have different columns.
        DatasetError: when a file cannot be read.
    """
    reading = classifier.preprocessing
    several = list(reading.inputs) if isinstance(reading, InputsPreprocessing) else None
    numbers = not isinstance(reading, TextPreprocessing) and are_array_files(asked)
    if several or numbers or isinstance(reading, ArrayPreprocessing):
        places, raw = read_examples(asked, several)
        _show(places, classifier(raw))
        return
    if isinstance(reading, ImagePreprocessing):
        images = [_read_image(Path(path), reading) for path in asked]
        _show(asked, classifier(np.stack(images)))
        return
    files = [word for word in asked if word.lower().endswith(".csv")]
    if files and len(files) < len(asked):
        other = next(word for word in asked if word not in files)
        raise SettingsError([f"{files[0]} is a CSV file and {other!r} is not: ask for one kind."])
    if isinstance(reading, TablePreprocessing) and not files:
        named = ", ".join(reading.columns)
        raise SettingsError([f"This model reads a table: expected CSV files with {named}."])
    if files:
        columns = reading.columns if isinstance(reading, TablePreprocessing) else (TEXT,)
        _answer_table(classifier, *_read_tables(files, columns))
        return
    print_faults(
        [
            f"note: {word} is a file, but this model reads texts: its name is answered as a text."
            for word in asked
            if _is_file(word)
        ]
    )
    _show(asked, classifier(asked))


def _is_file(word: str) -> bool:
    try:
        return Path(word).is_file()
    except (OSError, ValueError):  # too long for a file name, or contains NUL: a text
        return False


def _read_image(path: Path, preprocessing: ImagePreprocessing) -> np.ndarray:
    """Read an image file at the size, channels and value range of the model's input."""
    pixels = decode(read_bytes(path), path, preprocessing.input_shape).pixels
    brightest = 1 / preprocessing.scale
    return np.rint(pixels / 255 * brightest).astype(np.uint8)


def _show(asked: Sequence[str], answers: Sequence[AnyPrediction]) -> None:
    for word, one in zip(asked, answers, strict=True):
        numbers = "  ".join(f"{name} {value:.4f}" for name, value in one.numbers.items())
        print(printable(f"{one.answer}\t{numbers}\t{word}"))


def _read_tables(files: Sequence[str], wanted: Sequence[str]) -> tuple[list[str], list[list[str]]]:
    """Return the columns, and the rows of all files, one file after the other."""
    tables = [table(Path(file), read_bytes(Path(file)), wanted) for file in files]
    columns, _ = tables[0]
    for file, (found, _) in zip(files, tables, strict=True):
        if found != columns:
            raise SettingsError([f"{file} has the columns {found}, but {files[0]} {columns}."])
    return columns, [row for _, rows in tables for row in rows]


def _answer_table(
    classifier: Classifier, columns: Sequence[str], rows: Sequence[Sequence[str]]
) -> None:
    """Write each row unchanged, followed by its class or labels and one number per name."""
    names = classifier.preprocessing.classes
    answers = classifier(_raw(classifier.preprocessing, columns, rows)) if rows else []
    written = csv.writer(sys.stdout, lineterminator="\n")
    decided = _DECIDED.get(classifier.task, [])
    written.writerow([*columns, *_new_columns([*decided, *names], columns)])
    for row, one in zip(rows, answers, strict=True):
        values: list[Any] = [one.numbers[name] for name in names]
        written.writerow([*row, *([one.answer] if decided else []), *values])


def _raw(reading: Preprocessing, columns: Sequence[str], rows: Sequence[Sequence[str]]) -> Any:
    """Return the texts, or the numbers of the columns that a model reads."""
    if not isinstance(reading, TablePreprocessing):
        at = columns.index(TEXT)
        return [row[at] for row in rows]
    places = [columns.index(name) for name in reading.columns]
    numbers = np.full((len(rows), len(places)), np.nan)
    for number, row in enumerate(rows):
        for column, at in enumerate(places):
            with suppress(ValueError):  # NaN is refused with the example and the column
                numbers[number, column] = float(row[at])
    return numbers


def _new_columns(wanted: Iterable[str], taken: Sequence[str]) -> list[str]:
    """Return the names of the added columns; a name that is taken is marked as predicted."""
    columns = list(taken)
    for name in wanted:
        while name in columns:
            name += " (predicted)"
        columns.append(name)
    return columns[len(taken) :]
