"""From raw examples to a model's inputs: the preprocessing is fitted on training examples alone.

How each kind of input is converted is in `scratch_forward/preprocessing/`; texts are split into
words by `tokenize` of `scratch_forward/layers/text_vectorization.py`.
"""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from pipeline.data import large_arrays
from pipeline.data.dataset import Inputs, Split
from pipeline.data.examples import Examples
from pipeline.errors import DatasetError
from scratch_forward.errors import PreprocessingError
from scratch_forward.preprocessing import (
    ArrayPreprocessing,
    ImagePreprocessing,
    InputsPreprocessing,
    Preprocessing,
    SinglePreprocessing,
    TablePreprocessing,
    TextPreprocessing,
)

_DIGITS = 6  # of a mean, relative to the deviation: the last bits of a sum differ between machines

_CONSTANT = 1e-12  # deviation of a constant, relative to its mean: what a rounded mean leaves


@dataclass(frozen=True)
class Reading:
    """How raw examples are turned into a model's inputs.

    Attributes:
        classes: class names in label order.
        scale: factor that maps a raw pixel into [0, 1].
        columns: the column names of a table; empty for other data.
        standardize: whether numbers are standardized by the training examples.
        vocabulary_size: for texts, maximum size of the vocabulary; None keeps all words.
        max_length: for texts, ids per row; None uses the longest training text.
        padding: for texts, ``"post"`` or ``"pre"``.
    """

    classes: tuple[str, ...]
    scale: float = 1.0
    columns: tuple[str, ...] = ()
    standardize: bool = False
    vocabulary_size: int | None = None
    max_length: int | None = None
    padding: str = "post"


def fitted(reading: Reading, train: Examples) -> Preprocessing:
    """Return the preprocessing for training examples and all others.

    Raises:
        DatasetError: when an option of `reading` is invalid.
    """
    if isinstance(train.inputs, Mapping):
        inputs = {name: _fitted(reading, one) for name, one in train.named().items()}
        return InputsPreprocessing(inputs, reading.classes)
    return _fitted(reading, train)


def is_image(array: NDArray[Any]) -> bool:
    """Return whether an array is read as images: uint8 of shape `(N, H, W, C)` or `(N, H, W)`."""
    return array.dtype == np.uint8 and (array.ndim == 3 or array.ndim == 4)


def _fitted(reading: Reading, train: Examples) -> SinglePreprocessing:
    array = train.inputs
    if not isinstance(array, np.ndarray):
        return _fitted_texts(reading, train)
    if is_image(array):
        height, width, channels = (*train.shape, 1)[:3]
        return ImagePreprocessing((height, width, channels), reading.scale, reading.classes)
    mean, deviation = _moments(train) if reading.standardize else ((), ())
    if reading.columns:
        return TablePreprocessing(reading.columns, mean, deviation, reading.classes)
    whole = array.dtype.kind in "iu" and not reading.standardize
    dtype = "int32" if whole else "float32"
    return ArrayPreprocessing(train.shape, dtype, mean, deviation, reading.classes)


def _fitted_texts(reading: Reading, train: Examples) -> TextPreprocessing:
    try:
        return TextPreprocessing.fit(
            train.texts,
            reading.classes,
            vocabulary_size=reading.vocabulary_size,
            max_length=reading.max_length,
            padding=reading.padding,
        )
    except PreprocessingError as error:
        raise DatasetError(str(error)) from error


def _moments(train: Examples) -> tuple[tuple[float, ...], tuple[float, ...]]:
    """Return mean and standard deviation along the last axis; 1 for a constant's deviation."""
    width = train.shape[-1] if train.shape else 1
    rows = len(train) * math.prod(train.shape[:-1])
    mean = sum(_columns(part, width).sum(axis=0) for _, part in train.parts()) / rows
    squares = sum(((_columns(part, width) - mean) ** 2).sum(axis=0) for _, part in train.parts())
    spread = np.sqrt(squares / rows)
    spread[spread <= _CONSTANT * np.abs(mean)] = 1
    deviation = [float(f"{value:.{_DIGITS}g}") for value in spread]
    rounded = [
        round(float(one), _DIGITS - math.floor(math.log10(other)))
        for one, other in zip(mean, deviation, strict=True)
    ]
    return tuple(rounded), tuple(deviation)


def _columns(part: NDArray[Any], width: int) -> NDArray[np.float64]:
    return part.astype(np.float64).reshape(-1, width)


def split(preprocessing: Preprocessing, examples: Examples) -> Split:
    """Return examples as a model reads them.

    Raises:
        DatasetError: when a number does not fit the model's input.
    """
    texts = examples.texts if isinstance(preprocessing, TextPreprocessing) else None
    try:
        return Split(_encoded(preprocessing, examples), examples.labels, texts)
    except PreprocessingError as error:
        raise DatasetError(str(error)) from error


def _encoded(preprocessing: Preprocessing, examples: Examples) -> Inputs:
    if isinstance(preprocessing, InputsPreprocessing):
        parts = examples.named()
        return {name: _encoded(one, parts[name]) for name, one in preprocessing.inputs.items()}
    if isinstance(preprocessing, TextPreprocessing):
        return preprocessing.encode(examples.texts)
    shape = (len(examples), *preprocessing.input_shape)
    if 4 * math.prod(shape) <= large_arrays.LARGE:
        return preprocessing.encode(examples.images)
    dtype = getattr(preprocessing, "dtype", "float32")
    encoded = large_arrays.empty(shape, dtype)
    for part, raw in examples.parts():
        encoded[part] = preprocessing.encode(raw)
    return encoded
