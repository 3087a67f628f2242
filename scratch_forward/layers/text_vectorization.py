"""Conversion of raw text to token ids or vectors: `TextVectorization`."""

from __future__ import annotations

import string
from collections.abc import Sequence
from typing import Any

import numpy as np

from scratch_forward.errors import InvalidOption
from scratch_forward.layers.base import Array, Shape
from scratch_forward.layers.lookup import IndexLookup, bytes_of, text_of
from scratch_forward.layers.options import one_of, optional_positive, positive

PADDING_TOKEN = ""
UNKNOWN_TOKEN = "[UNK]"

_LOWER = {ord(upper): upper.lower() for upper in string.ascii_uppercase}
_STRIP_PUNCTUATION: dict[int, str | None] = dict.fromkeys(map(ord, string.punctuation))
_SPACES: dict[int, str | None] = {ord(character): " " for character in "\t\n\v\f\r"}
_STANDARDIZE: dict[str | None, dict[int, str | None]] = {
    None: {},
    "lower": {**_LOWER},
    "strip_punctuation": _STRIP_PUNCTUATION,
    "lower_and_strip_punctuation": {**_STRIP_PUNCTUATION, **_LOWER},
}


class TextVectorization(IndexLookup):
    """Text to integer ids or vectors: standardize, split, join to n-grams, look up, encode.

    In the mode `"int"`, id 0 is padding, id 1 is any token outside the vocabulary, and id `2 + k`
    is token k of the vocabulary. Rows are truncated and padded with 0. In other modes there is no
    padding, and index 0 is any token outside the vocabulary.

    As in Keras on TensorFlow, only ASCII letters are converted to lower case, the 32 ASCII
    punctuation marks are removed (not replaced by a space), and only ASCII whitespace separates
    tokens. `É`, `¿` and U+00A0 are not changed.

    Shapes: strings `(N,)` or `(N, 1)` to int64 `(N, output_sequence_length)`, or to vectors
    `(N, depth)`, which are float32 with `"tf_idf"` and int64 otherwise. Without an
    `output_sequence_length`, the size is the number of tokens in the longest text of the batch.
    With `split=None`, tokens `(N, k)` instead of strings.

    Source: `keras.layers.TextVectorization` of Keras 3.

    Args:
        max_tokens: Largest size of the vocabulary, including special tokens.
        standardize: `"lower_and_strip_punctuation"`, `"lower"`, `"strip_punctuation"` or None.
        split: `"whitespace"`, `"character"` for one token per code point, or None.
        ngrams: Sizes of the n-grams that replace the tokens. An integer n stands for 1 to n.
        output_mode: `"int"`, `"multi_hot"`, `"count"` or `"tf_idf"`; also `"one_hot"` if `split`
            is None.
        output_sequence_length: Number of ids per text.
        pad_to_max_tokens: Whether vectors have the size `max_tokens`.
        vocabulary: Tokens, most frequent first, with or without the special ones at the front.
        idf_weights: Inverse document frequencies.
        sparse: Must be False.
        ragged: Must be False.
        encoding: Must be `"utf-8"`.
        vocabulary_size: Size of the vocabulary stored in a file, including special tokens.

    Raises:
        InvalidOption: For a value that is not supported, a duplicate token, or too many tokens.
    """

    def __init__(
        self,
        max_tokens: int | None = None,
        standardize: str | None = "lower_and_strip_punctuation",
        split: str | None = "whitespace",
        ngrams: int | Sequence[int] | None = None,
        output_mode: str = "int",
        output_sequence_length: int | None = None,
        pad_to_max_tokens: bool = False,
        vocabulary: Sequence[str] | None = None,
        idf_weights: Sequence[float] | None = None,
        sparse: bool = False,
        ragged: bool = False,
        encoding: str = "utf-8",
        vocabulary_size: int | None = None,
        name: str | None = None,
    ) -> None:
        super().__init__(
            max_tokens,
            1,
            PADDING_TOKEN,
            UNKNOWN_TOKEN,
            output_mode,
            pad_to_max_tokens,
            sparse,
            vocabulary_size,
            name,
        )
        self.standardize = one_of("standardize", standardize, tuple(_STANDARDIZE))
        self.split = one_of("split", split, ("whitespace", "character", None))
        self.ngrams = _widths(ngrams)
        if self.output_mode == "one_hot" and self.split is not None:
            raise InvalidOption("output_mode", output_mode, "another mode, or split=None")
        self.output_sequence_length = optional_positive(
            "output_sequence_length", output_sequence_length
        )
        self.encoding = one_of("encoding", encoding, ("utf-8",))
        one_of("ragged", ragged, (False,))
        self._table = _STANDARDIZE[self.standardize] | (
            _SPACES if self.split == "whitespace" else {}
        )
        if vocabulary is not None:
            self.set_vocabulary(vocabulary, idf_weights)

    def token_of(self, item: Any) -> str:
        """Return a string. See `text_of`."""
        return text_of(item)

    def tokenize(self, text: str) -> list[str]:
        """Standardize a text and split it into tokens.

        Args:
            text: Any Unicode string.

        Returns:
            The tokens in order. Empty if the text contains only whitespace and punctuation.
        """
        standardized = text.translate(self._table)
        if self.split is None:
            return [standardized]
        if self.split == "character":
            return list(bytes_of(standardized).decode("utf-8", "replace"))
        return [token for token in standardized.split(" ") if token]

    def call(self, inputs: Any) -> Array:
        """Return the ids or vectors of a batch of texts."""
        rows = [self.ids_of(self._joined(tokens)) for tokens in self._rows(inputs)]
        width = self.output_sequence_length if self.output_mode == "int" else None
        if width is None:
            width = max(map(len, rows), default=0)
        ids = np.full((len(rows), width), 0 if self.output_mode == "int" else -1, np.int64)
        for row, found in zip(ids, rows, strict=True):
            kept = found[:width]
            row[: len(kept)] = kept
        return self.encoded(ids)

    def _rows(self, inputs: Any) -> list[list[str]]:
        """Return the tokens of each text. Without splitting, an input is a batch of tokens."""
        array = np.asarray(inputs, dtype=object)
        if self.split is None:
            if array.ndim != 2:
                raise ValueError(
                    f"Expected tokens of shape (batch, tokens), got an array of shape "
                    f"{array.shape}."
                )
            return [[t for item in row for t in self.tokenize(text_of(item))] for row in array]
        if array.ndim > 2 or (array.ndim == 2 and array.shape[-1] != 1):
            raise ValueError(
                f"Expected texts of shape (batch,) or (batch, 1), got an array of shape "
                f"{array.shape}."
            )
        return [self.tokenize(text_of(item)) for item in array.ravel()]

    def _joined(self, tokens: list[str]) -> list[str]:
        """Return the n-grams of tokens, for one size after the other, or the tokens."""
        if self.ngrams is None:
            return tokens
        widths = self.ngrams
        if isinstance(widths, range):  # a longer n-gram than the text does not occur
            widths = widths[: len(tokens)]
        return [
            " ".join(tokens[start : start + width])
            for width in widths
            for start in range(len(tokens) - width + 1)
        ]

    def compute_output_shape(self, input_shape: Shape) -> Shape:
        """`(N, output_sequence_length)`, or `(N, depth)`."""
        if self.output_mode == "int":
            return (input_shape[0], self.output_sequence_length)
        if self.output_mode == "one_hot":
            return super().compute_output_shape(input_shape)
        return (input_shape[0], self.depth)


def _widths(ngrams: Any) -> Sequence[int] | None:
    """Return the sizes of n-grams."""
    if ngrams is None:
        return None
    if isinstance(ngrams, list | tuple):
        return tuple(positive("ngrams", width) for width in ngrams)
    return range(1, positive("ngrams", ngrams) + 1)
