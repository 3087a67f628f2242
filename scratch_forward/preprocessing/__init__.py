"""Conversion of raw input to a model's input, in a form that is stored with the weights.

The stored form contains what is learned from the training examples (the vocabulary, or the scale)
and the class names, which is all that later predictions from raw input need.
"""

from __future__ import annotations

from typing import TypeAlias

from scratch_forward.errors import PreprocessingError
from scratch_forward.preprocessing.images import ImagePreprocessing
from scratch_forward.preprocessing.numbers import ArrayPreprocessing, TablePreprocessing
from scratch_forward.preprocessing.several import InputsPreprocessing
from scratch_forward.preprocessing.stored_fields import document_of
from scratch_forward.preprocessing.texts import TextPreprocessing, tokenize

SinglePreprocessing: TypeAlias = (
    TextPreprocessing | ImagePreprocessing | TablePreprocessing | ArrayPreprocessing
)
Preprocessing: TypeAlias = SinglePreprocessing | InputsPreprocessing

_OF_ONE_INPUT = (TextPreprocessing, ImagePreprocessing, TablePreprocessing, ArrayPreprocessing)


def from_json(text: str) -> Preprocessing:
    """Parse a preprocessing of any kind from the output of `to_json`.

    Raises:
        PreprocessingError: If the text is not a stored preprocessing.
    """
    kind = document_of(text).get("kind")
    if kind == InputsPreprocessing.kind:
        return InputsPreprocessing.from_json(text, _of_one_input)
    return _of_one_input(text)


def _of_one_input(text: str) -> SinglePreprocessing:
    kind = document_of(text).get("kind")
    for preprocessing in _OF_ONE_INPUT:
        if kind == preprocessing.kind:
            return preprocessing.from_json(text)
    raise PreprocessingError(
        f"A stored preprocessing has the kind text, image, table, array or inputs, got {kind!r}."
    )


__all__ = [
    "ArrayPreprocessing",
    "ImagePreprocessing",
    "InputsPreprocessing",
    "Preprocessing",
    "PreprocessingError",
    "SinglePreprocessing",
    "TablePreprocessing",
    "TextPreprocessing",
    "from_json",
    "tokenize",
]
