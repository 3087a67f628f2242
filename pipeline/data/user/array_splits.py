"""The user's arrays or texts, in splits: checked as a whole, or refused with the example."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from functools import partial
from typing import Any

import numpy as np
from numpy.typing import NDArray

from pipeline.data import large_arrays
from pipeline.data.examples import Examples, Source
from pipeline.data.label_task import task_of_labels
from pipeline.data.preprocessing import is_image
from pipeline.data.sampling import copies_together, held_out_shares, strata
from pipeline.data.user.array_labels import read_labels
from pipeline.data.user.division import PART_NAMES, division_phrase, expect_every_class
from pipeline.errors import DatasetError

_EXPECTED = (
    "expected ((x_train, y_train), (x_test, y_test)), or a dict of such pairs with train, test and "
    "optionally validation"
)
_INT32 = np.iinfo(np.int32)


def read_splits(
    returned: Any,
    where: str,
    origin: str,
    *,
    validation_share: float,
    split_seed: int,
    classes: Sequence[str] | None = None,
    task: str | None = None,
    checksums: Mapping[str, str] | None = None,
) -> Source:
    """Convert raw inputs and labels to a data set's source.

    Args:
        returned: `((x, y), (x, y))` for train and test, or a dict of pairs; each `x` is an array,
            a list of texts, or a dict of these for a model with several inputs. The dict may
            contain `classes`, names in label order.
        where: what the data come from, which starts every error.
        origin: one phrase on the source of the data.
        validation_share: share of the training examples for validation, if there are none.
        split_seed: decides which examples are held out.
        classes: names in label order; None uses those in the dict, or those found.
        task: the meaning of the labels, if it is given.
        checksums: SHA-256 of each file read.

    Raises:
        DatasetError: for the first fault, with the number of the example.
    """
    pairs, names = _pairs(returned, where)
    labels = read_labels({part: y for part, (_, y) in pairs.items()}, where, names or classes, task)
    examples = {
        part: Examples(_inputs(x, f"{where}: {part}"), labels.parts[part])
        for part, (x, _) in pairs.items()
    }
    _expect_lengths(examples, where)
    _expect_one_form(examples, where)
    if "validation" not in examples:
        train = examples["train"]
        groups, group_names = strata(train.labels, labels.names)
        divide = partial(held_out_shares, groups, (validation_share,), split_seed, group_names)
        rest, held = copies_together(divide, train.contents())
        examples |= {"train": train.take(rest), "validation": train.take(held)}
    if task_of_labels(examples["train"].labels) == "multiclass":
        for part, one in examples.items():
            expect_every_class(part, one.labels, labels.names, where)
    return Source(
        train=examples["train"],
        validation=examples["validation"],
        test=examples["test"],
        classes=labels.names,
        origin=f"{origin}, {division_phrase(pairs)}",
        checksums=checksums or {},
        scale=1 / 255,
        columns=_columns(pairs["train"][0]),
    )


def _pairs(returned: Any, where: str) -> tuple[dict[str, tuple[Any, Any]], Sequence[str] | None]:
    """Return inputs and labels by the split's name, and the class names if they are given."""
    names = None
    if isinstance(returned, Mapping):
        given = dict(returned)
        names = given.pop("classes", None)
        parts = {PART_NAMES.get(str(key), ""): pair for key, pair in given.items()}
        if set(parts) - {"validation"} != {"train", "test"} or len(parts) < len(given):
            keys = ", ".join(map(str, given)) or "no keys"
            raise DatasetError(f"{where}: a dict with {keys}: {_EXPECTED}.")
    elif isinstance(returned, tuple | list) and len(returned) == 2:
        parts = dict(zip(("train", "test"), returned, strict=True))
    else:
        raise DatasetError(f"{where}: {_described(returned)}: {_EXPECTED}.")
    for part, pair in parts.items():
        if not isinstance(pair, tuple | list) or len(pair) != 2:
            raise DatasetError(
                f"{where}: {part} is {_described(pair)}: expected inputs and labels, (x, y)."
            )
    return {part: (x, y) for part, (x, y) in parts.items()}, _class_names(names, where)


def _described(value: Any) -> str:
    if isinstance(value, tuple | list):
        return f"a {type(value).__name__} of {len(value)}"
    shape = getattr(value, "shape", None)
    return type(value).__name__ + (f" of shape {tuple(shape)}" if shape is not None else "")


def _class_names(names: Any, where: str) -> tuple[str, ...] | None:
    if names is None:
        return None
    if isinstance(names, str) or not all(isinstance(name, str) for name in names):
        raise DatasetError(f"{where}: classes is {names!r}: expected a list of names.")
    return tuple(names)


def _columns(x: Any) -> tuple[str, ...]:
    """Return the column names of a data frame."""
    return tuple(map(str, x.columns)) if hasattr(x, "columns") and hasattr(x, "iloc") else ()


def _inputs(x: Any, place: str) -> Any:
    if isinstance(x, Mapping):
        if not x or not all(isinstance(name, str) for name in x):
            raise DatasetError(f"{place} inputs are a dict with {list(x)}: expected named arrays.")
        return {name: _input(one, f"{place} input `{name}`") for name, one in x.items()}
    return _input(x, f"{place} input")


def _input(x: Any, place: str) -> Any:
    """Return one input as an array of numbers, or as a tuple of texts."""
    if isinstance(x, list | tuple) and x and isinstance(x[0], str):
        return _texts(x, place)
    try:
        array = np.asarray(x)
    except ValueError as error:
        raise DatasetError(f"{place} is not an array: {error}.") from error
    if array.ndim == 1 and array.dtype.kind in "UO" and len(array) and isinstance(array[0], str):
        return _texts(array.tolist(), place)
    if array.dtype.kind not in "fiub" or not array.ndim:
        raise DatasetError(
            f"{place} is {_described(x)} of {array.dtype}: expected numbers, or a list of texts."
        )
    if not array.size and len(array):
        raise DatasetError(f"{place} has the shape {array.shape}: expected no empty axis.")
    _expect_usable(array, place)
    return array


def _texts(texts: Sequence[Any], place: str) -> tuple[str, ...]:
    for number, text in enumerate(texts):
        if not isinstance(text, str) or not text.strip():
            raise DatasetError(f"{place}, example {number} is {text!r}: expected some words.")
    return tuple(map(str, texts))


def _expect_usable(array: NDArray[Any], place: str) -> None:
    """Refuse NaN, infinity, and what float32 or int32 cannot hold."""
    if array.dtype.kind == "b" or array.dtype.itemsize == 1:
        return
    for part in large_arrays.parts(len(array), array[:1].nbytes):
        numbers = array[part]
        if array.dtype.kind == "f":
            with np.errstate(over="ignore"):
                wrong = ~np.isfinite(numbers.astype(np.float32))
        else:
            wrong = (numbers < _INT32.min) | (numbers > _INT32.max)
        if wrong.any():
            at = tuple(map(int, np.argwhere(wrong)[0]))
            inside = f" at {list(at[1:])}" if at[1:] else ""
            bits = "float32" if array.dtype.kind == "f" else "int32"
            raise DatasetError(
                f"{place}, example {part.start + at[0]} is {numbers[at]}{inside}: expected finite "
                f"numbers that {bits} can hold."
            )


def _expect_lengths(examples: Mapping[str, Examples], where: str) -> None:
    for part, one in examples.items():
        several = one.inputs if isinstance(one.inputs, Mapping) else {"": one.inputs}
        for name, values in several.items():
            named = f" of `{name}`" if name else ""
            if len(values) != len(one.labels):
                raise DatasetError(
                    f"{where}: {part} has {len(values):,} inputs{named} and {len(one.labels):,} "
                    "labels: expected as many."
                )
        if not len(one.labels):
            raise DatasetError(f"{where}: {part} has no examples: expected at least one.")


def _expect_one_form(examples: Mapping[str, Examples], where: str) -> None:
    """Refuse splits whose inputs a model cannot read alike."""
    forms = {part: _form(one.inputs) for part, one in examples.items()}
    for part, form in forms.items():
        if form != forms["train"]:
            raise DatasetError(
                f"{where}: train has {_told(forms['train'])}, but {part} {_told(form)}: expected "
                "the same in all parts."
            )


def _form(inputs: Any) -> Any:
    if isinstance(inputs, Mapping):
        return {name: _form(one) for name, one in sorted(inputs.items())}
    if isinstance(inputs, tuple):
        return "texts"
    if is_image(inputs):
        kind = "uint8 images"
    else:
        kind = "whole numbers" if inputs.dtype.kind in "iu" else "numbers"
    return f"{kind} of shape {('N', *inputs.shape[1:])}".replace("'", "")


def _told(form: Any) -> str:
    if isinstance(form, dict):
        return "; ".join(f"{name}: {one}" for name, one in form.items())
    return str(form)
