"""Labels of the user's arrays: classes, several labels per example, or targets of a regression."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from pipeline.data.user.division import class_names, label_indices
from pipeline.errors import DatasetError


@dataclass(frozen=True, eq=False)
class ArrayLabels:
    """Labels in the form of `Split.labels`, by the split's name, and the names of their values."""

    parts: Mapping[str, NDArray[Any]]
    names: tuple[str, ...]


def read_labels(
    raw: Mapping[str, Any], where: str, classes: Sequence[str] | None, task: str | None = None
) -> ArrayLabels:
    """Convert the labels of all splits.

    Whole numbers, booleans and texts of shape `(N,)` are classes, and so are one-hot rows. Other
    rows of 0 and 1 are several labels per example. Other numbers are targets of a regression.

    Args:
        raw: the labels by the split's name.
        where: the source of the labels, for errors.
        classes: class names, or names of labels or targets, in order; None uses those found.
        task: the meaning of the labels, if it is given; decides where several are possible.

    Raises:
        DatasetError: when the labels have no such form, or differ in form between the splits.
    """
    arrays = {part: _as_array(labels, f"{where}: {part}") for part, labels in raw.items()}
    _expect_one_form(arrays, where)
    kinds = {array.dtype.kind for array in arrays.values()}
    if kinds <= {"U"}:
        return _named(arrays, where, classes)
    _expect_finite(arrays, where)
    if next(iter(arrays.values())).ndim == 2:
        return _columns(arrays, where, classes, task)
    if task == "regression" or kinds == {"f"}:
        return _targets(arrays, where, classes)
    if kinds == {"b"} and classes is None:
        return _indexed(arrays, where, ("false", "true"))
    return _indexed(arrays, where, classes) if classes else _numbered(arrays, where)


def _as_array(labels: Any, place: str) -> NDArray[Any]:
    try:
        array = np.asarray(labels)
    except ValueError as error:
        raise DatasetError(f"{place} labels are not an array: {error}.") from error
    if array.dtype == object and all(isinstance(one, str) for one in array.ravel()):
        array = array.astype(str)
    if array.ndim == 2 and array.shape[1] == 1:
        array = array[:, 0]
    if array.dtype.kind not in "Ubiuf" or array.ndim not in (1, 2):
        raise DatasetError(
            f"{place} labels are {array.dtype} of shape {array.shape}: expected numbers or class "
            "names of shape (N,), or numbers of shape (N, K)."
        )
    return array


def _expect_one_form(arrays: Mapping[str, NDArray[Any]], where: str) -> None:
    forms = {part: (array.dtype.kind, array.shape[1:]) for part, array in arrays.items()}
    (first, form), *others = forms.items()
    for part, other in others:
        alike = {form[0], other[0]} <= set("iu") or form[0] == other[0]
        if not alike or form[1] != other[1]:
            raise DatasetError(
                f"{where}: {first} labels are {arrays[first].dtype} of shape "
                f"{arrays[first].shape}, but {part} labels {arrays[part].dtype} of shape "
                f"{arrays[part].shape}: expected the same in all parts."
            )


def _expect_finite(arrays: Mapping[str, NDArray[Any]], where: str) -> None:
    for part, array in arrays.items():
        with np.errstate(over="ignore"):
            wrong = np.argwhere(~np.isfinite(array.astype(np.float32)))
        if len(wrong):
            raise DatasetError(
                f"{where}: {part} example {int(wrong[0][0])} has the label "
                f"{array[tuple(wrong[0])]}: expected a finite number that float32 can hold."
            )


def _named(
    arrays: Mapping[str, NDArray[Any]], where: str, classes: Sequence[str] | None
) -> ArrayLabels:
    texts = {part: [str(one) for one in array.ravel()] for part, array in arrays.items()}
    names = class_names((one for part in texts.values() for one in part), classes, where)
    return ArrayLabels(
        {
            part: label_indices(
                labels, names, [f"{where}: {part} example {n}" for n in range(len(labels))]
            )
            for part, labels in texts.items()
        },
        names,
    )


def _numbered(arrays: Mapping[str, NDArray[Any]], where: str) -> ArrayLabels:
    """Number the classes in the order of their values."""
    values = np.unique(np.concatenate([np.unique(array) for array in arrays.values()]))
    names = class_names(map(str, values.tolist()), None, where)
    parts = {part: np.searchsorted(values, array) for part, array in arrays.items()}
    return ArrayLabels({part: one.astype(np.int64) for part, one in parts.items()}, names)


def _indexed(arrays: Mapping[str, NDArray[Any]], where: str, classes: Sequence[str]) -> ArrayLabels:
    """Check whole numbers that are indices of given class names."""
    names = class_names(classes, classes, where)
    for part, array in arrays.items():
        wrong = np.flatnonzero((array < 0) | (array >= len(names)))
        if len(wrong):
            raise DatasetError(
                f"{where}: {part} example {wrong[0]} has the label {array[wrong[0]]}: expected the "
                f"index of a class, 0 to {len(names) - 1}."
            )
    return ArrayLabels({part: array.astype(np.int64) for part, array in arrays.items()}, names)


def _columns(
    arrays: Mapping[str, NDArray[Any]], where: str, classes: Sequence[str] | None, task: str | None
) -> ArrayLabels:
    flags = all(((array == 0) | (array == 1)).all() for array in arrays.values())
    if task == "regression" or not flags:
        if task != "regression" and any(array.dtype.kind != "f" for array in arrays.values()):
            raise DatasetError(
                f"{where}: labels are whole numbers of shape (N, K) other than 0 and 1: expected "
                "class indices of shape (N,), or floating-point targets."
            )
        return _targets(arrays, where, classes)
    one_hot = all((array.sum(axis=1) == 1).all() for array in arrays.values())
    if one_hot and task != "multilabel":
        names = classes or [str(index) for index in range(_width(arrays))]
        return _indexed({part: one.argmax(axis=1) for part, one in arrays.items()}, where, names)
    parts = {part: array.astype(np.uint8) for part, array in arrays.items()}
    return ArrayLabels(parts, _names(arrays, where, classes, "label"))


def _targets(
    arrays: Mapping[str, NDArray[Any]], where: str, classes: Sequence[str] | None
) -> ArrayLabels:
    parts = {part: array.astype(np.float32) for part, array in arrays.items()}
    return ArrayLabels(parts, _names(arrays, where, classes, "target"))


def _names(
    arrays: Mapping[str, NDArray[Any]], where: str, classes: Sequence[str] | None, word: str
) -> tuple[str, ...]:
    width = _width(arrays)
    if classes is None:
        return (word,) if width == 1 else tuple(f"{word}_{number}" for number in range(width))
    if len(classes) != width:
        raise DatasetError(
            f"{where}: {len(classes)} names ({', '.join(classes)}) are given for {width} columns "
            "of labels: expected one name per column."
        )
    return tuple(classes)


def _width(arrays: Mapping[str, NDArray[Any]]) -> int:
    first = next(iter(arrays.values()))
    return first.shape[1] if first.ndim == 2 else 1
