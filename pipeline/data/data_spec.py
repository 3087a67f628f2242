"""What a model must fit: the shapes and the meaning of its data."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Literal

Kind = Literal["text", "image", "table", "array", "inputs"]
"""The kind of an example; `inputs` are several inputs, each of a kind of its own."""


@dataclass(frozen=True)
class DataSpec:
    """The data that a model function builds a model for.

    A function that accepts only some kinds of data annotates its first argument with their specs,
    such as `TextSpec` or `ImageSpec | TableSpec`.

    Attributes:
        input_shape: shape of one example without the batch: `(height, width, channels)`,
            `(length,)`, `(columns,)` or any other; for several inputs a dict of shapes.
        dtype: dtype of the inputs: `int32` for token ids and arrays of whole numbers, else
            `float32`; images are in [0, 1]; for several inputs a dict of dtypes.
        outputs: number of outputs per example: one per class, label or target; 1 for `binary`.
        task: meaning of the outputs: `multiclass`, `binary`, `multilabel` or `regression`.
        vocabulary_size: upper bound (exclusive) of the token ids; None for other data than texts.
        sequence_length: ids per text including padding (id 0); None for other data than texts.
    """

    input_shape: tuple[int, ...] | Mapping[str, tuple[int, ...]]
    dtype: str | Mapping[str, str]
    outputs: int
    task: str = "multiclass"
    vocabulary_size: int | None = None
    sequence_length: int | None = None


@dataclass(frozen=True)
class TextSpec(DataSpec):
    """Texts as rows of token ids, shape `(length,)`."""

    input_shape: tuple[int, ...]
    dtype: str
    vocabulary_size: int = field(kw_only=True)
    sequence_length: int = field(kw_only=True)


@dataclass(frozen=True)
class ImageSpec(DataSpec):
    """Images of shape `(height, width, channels)`."""

    input_shape: tuple[int, ...]
    dtype: str


@dataclass(frozen=True)
class TableSpec(DataSpec):
    """Rows of numbers, shape `(columns,)`."""

    input_shape: tuple[int, ...]
    dtype: str
    columns: tuple[str, ...] = field(kw_only=True)


@dataclass(frozen=True)
class ArraySpec(DataSpec):
    """Arrays of any shape."""

    input_shape: tuple[int, ...]
    dtype: str


@dataclass(frozen=True)
class InputsSpec(DataSpec):
    """Several named inputs; `inputs` describes each of them."""

    input_shape: Mapping[str, tuple[int, ...]]
    dtype: Mapping[str, str]
    inputs: Mapping[str, DataSpec] = field(kw_only=True)
