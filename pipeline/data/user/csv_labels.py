"""Labels of CSV files: class names, or the numbers of a regression."""

from __future__ import annotations

import math
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from pipeline.data.user.division import class_names, label_indices
from pipeline.errors import DatasetError


def csv_labels(
    labels: Sequence[str],
    places: Sequence[str],
    column: str,
    classes: Sequence[str] | None,
    task: str | None,
    source: Path,
) -> tuple[NDArray[Any], tuple[str, ...]]:
    """Return class indices and class names; for a regression, targets and their column's name.

    Args:
        labels: N labels as written.
        places: the location of each label, for errors.
        column: name of their column.
        classes: class names in label order; None uses the classes found.
        task: the meaning of the labels, if it is given.
        source: location of the data, for errors.

    Raises:
        DatasetError: when a label is no class or, for a regression, no number.
    """
    if task == "regression":
        return _targets(labels, places), (column,)
    names = class_names(labels, classes, source)
    return label_indices(labels, names, places), names


def _targets(labels: Sequence[str], places: Sequence[str]) -> NDArray[np.float32]:
    numbers = [number_in(label) for label in labels]
    for label, number, place in zip(labels, numbers, places, strict=True):
        if number is None:
            raise DatasetError(f"{place} has the label {label!r}: expected a finite number.")
    return np.array(numbers, np.float32)


def number_in(text: str | None) -> float | None:
    """Return the finite number that a field holds, or None."""
    try:
        value = float(text) if text is not None and "_" not in text else math.nan
    except ValueError:
        return None
    return value if math.isfinite(value) and abs(value) <= np.finfo(np.float32).max else None
