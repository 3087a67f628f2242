"""Conversion of tables and arrays of numbers, with optional standardization."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, ClassVar, Literal, cast

import numpy as np
from numpy.typing import NDArray

from scratch_forward.errors import PreprocessingError
from scratch_forward.preprocessing.stored_fields import (
    class_names,
    numbers_of,
    shape_of,
    stored_fields,
    to_json,
    words_of,
)

DTYPES = ("float32", "int32")
_AT_ONCE = 2**18  # numbers converted at once, which limits the memory for float64


@dataclass(frozen=True)
class TablePreprocessing:
    """Conversion of rows of numbers to float32, standardized per column.

    Attributes:
        columns: Column names, in the order of a row.
        mean: Subtracted from each column. Empty if the columns are not standardized.
        scale: Divides each column afterwards. Empty like `mean`.
        classes: Class names in label order.
    """

    kind: ClassVar[Literal["table"]] = "table"

    columns: tuple[str, ...]
    mean: tuple[float, ...]
    scale: tuple[float, ...]
    classes: tuple[str, ...]

    def __post_init__(self) -> None:
        _expect_alike(self.mean, self.scale, len(self.columns))

    @property
    def input_shape(self) -> tuple[int]:
        """Shape of a row."""
        return (len(self.columns),)

    def encode(self, rows: Any) -> NDArray[np.float32]:
        """Convert N rows, shape ``(N, columns)``, to float32.

        Raises:
            PreprocessingError: If the rows have another shape or contain no finite numbers.
        """
        numbers = _as_numbers(rows, self.input_shape)
        return _floats(numbers, self.mean, self.scale, self.columns)

    def describe(self) -> str:
        """Return a phrase with the number of columns."""
        how = "standardized" if self.mean else "not standardized"
        return f"rows of {len(self.columns)} numbers, {how}"

    def to_json(self) -> str:
        """Return all that is needed to encode and to name the classes, as JSON text."""
        return to_json(self)

    @classmethod
    def from_json(cls, text: str) -> TablePreprocessing:
        """Parse the output of `to_json`. Raises PreprocessingError if the text is invalid."""
        stored = stored_fields(text, cls)
        mean, scale = numbers_of(stored, "mean"), numbers_of(stored, "scale", 0)
        return cls(words_of(stored, "columns"), mean, scale, class_names(stored))


@dataclass(frozen=True)
class ArrayPreprocessing:
    """Conversion of arrays of any shape to float32 or int32.

    Attributes:
        input_shape: Shape of one example.
        dtype: ``"float32"``, or ``"int32"`` for whole numbers such as ids.
        mean: Subtracted along the last axis. Empty if the arrays are not standardized.
        scale: Divides along the last axis afterwards. Empty like `mean`.
        classes: Class names in label order.
    """

    kind: ClassVar[Literal["array"]] = "array"

    input_shape: tuple[int, ...]
    dtype: str
    mean: tuple[float, ...]
    scale: tuple[float, ...]
    classes: tuple[str, ...]

    def __post_init__(self) -> None:
        if self.dtype not in DTYPES:
            raise PreprocessingError(f"dtype={self.dtype!r} is unknown: expected float32 or int32.")
        _expect_alike(self.mean, self.scale, self.input_shape[-1] if self.input_shape else 1)

    def encode(self, arrays: Any) -> NDArray[Any]:
        """Convert N arrays, shape ``(N, *input_shape)``, to `dtype`.

        Raises:
            PreprocessingError: If the arrays have another shape, contain no finite numbers, or
                no 32-bit whole numbers where `dtype` is int32.
        """
        numbers = _as_numbers(arrays, self.input_shape)
        if self.dtype == "int32":
            return _whole_numbers(numbers)
        return _floats(numbers, self.mean, self.scale)

    def describe(self) -> str:
        """Return a phrase with the shape and dtype of an array."""
        shape = "x".join(map(str, self.input_shape)) or "a single number"
        return f"arrays {shape} of {self.dtype}{', standardized' if self.mean else ''}"

    def to_json(self) -> str:
        """Return all that is needed to encode and to name the classes, as JSON text."""
        return to_json(self)

    @classmethod
    def from_json(cls, text: str) -> ArrayPreprocessing:
        """Parse the output of `to_json`. Raises PreprocessingError if the text is invalid."""
        stored = stored_fields(text, cls)
        mean, scale = numbers_of(stored, "mean"), numbers_of(stored, "scale", 0)
        shape, dtype = shape_of(stored["input_shape"]), stored["dtype"]
        return cls(shape, dtype, mean, scale, class_names(stored))


def _expect_alike(mean: Sequence[float], scale: Sequence[float], size: int) -> None:
    if not len(mean) == len(scale) or len(mean) not in (0, size):
        raise PreprocessingError(
            f"mean and scale have {len(mean)} and {len(scale)} numbers: expected {size}, or none."
        )


def _as_numbers(values: Any, shape: tuple[int, ...]) -> NDArray[Any]:
    try:
        numbers = np.asarray(values)
    except ValueError as error:
        raise PreprocessingError(f"The input is not an array: {error}.") from error
    if numbers.dtype.kind not in "fiub" or numbers.shape[1:] != shape or not numbers.ndim:
        wanted = ", ".join(["N", *map(str, shape)])
        raise PreprocessingError(
            f"The input is {numbers.dtype} of shape {numbers.shape}: expected numbers of shape "
            f"({wanted})."
        )
    return numbers


def _floats(
    numbers: NDArray[Any],
    mean: Sequence[float],
    scale: Sequence[float],
    columns: Sequence[str] = (),
) -> NDArray[np.float32]:
    """Standardize in float64, so that large offsets lose nothing, and round to float32."""
    encoded = np.empty(numbers.shape, np.float32)
    rows = max(1, _AT_ONCE // max(1, numbers[:1].size))
    with np.errstate(over="ignore"):
        for first in range(0, len(numbers), rows):
            part = slice(first, first + rows)
            values = np.asarray(numbers[part], np.float64)
            encoded[part] = (values - mean) / scale if mean else values
            _expect_finite(encoded[part], first, columns)
    return encoded


def _expect_finite(values: NDArray[np.float32], first: int, columns: Sequence[str]) -> None:
    """Refuse NaN, infinity, and what becomes infinite in float32."""
    finite = np.isfinite(values)
    if finite.all():
        return
    place = np.argwhere(~finite)[0]
    where = f", column `{columns[place[-1]]}`" if columns else ""
    raise PreprocessingError(
        f"Example {first + int(place[0])}{where} is {values[tuple(place)]}: expected a finite "
        "number that float32 can hold."
    )


def _whole_numbers(numbers: NDArray[Any]) -> NDArray[np.int32]:
    if numbers.dtype.kind not in "iu":
        raise PreprocessingError(f"The input is {numbers.dtype}: expected whole numbers.")
    limits = np.iinfo(np.int32)
    wrong = np.argwhere((numbers < limits.min) | (numbers > limits.max))
    if len(wrong):
        raise PreprocessingError(
            f"Example {int(wrong[0][0])} has the number {numbers[tuple(wrong[0])]}: expected one "
            "that 32 bits can hold."
        )
    return cast("NDArray[np.int32]", numbers.astype(np.int32))
