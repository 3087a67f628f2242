"""Conversion of raw text to token ids: `TextVectorization`."""

from __future__ import annotations

import string
from collections.abc import Sequence
from typing import Any

import numpy as np

from scratch_forward.errors import InvalidOption
from scratch_forward.layers.base import Array, Layer, Shape
from scratch_forward.layers.options import one_of, optional_positive

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


class TextVectorization(Layer):
    """Text to integer ids: standardize, split, look up every token, truncate, and pad with 0.

    Id 0 is padding, id 1 is any token outside the vocabulary, and id `2 + k` is token k of the
    vocabulary.

    As in Keras on TensorFlow, only ASCII letters are converted to lower case, the 32 ASCII
    punctuation marks are removed (not replaced by a space), and only ASCII whitespace separates
    tokens. `É`, `¿` and U+00A0 are not changed.

    Shapes: strings `(N,)` or `(N, 1)` to int64 `(N, output_sequence_length)`. Without an
    `output_sequence_length`, the size is the number of tokens in the longest text of the batch.

    Source: `keras.layers.TextVectorization` of Keras 3.

    Args:
        max_tokens: Largest size of the vocabulary, including ids 0 and 1.
        standardize: `"lower_and_strip_punctuation"`, `"lower"`, `"strip_punctuation"` or None.
        split: `"whitespace"`, or `"character"` for one token per code point.
        ngrams: Must be None.
        output_mode: Must be `"int"`.
        output_sequence_length: Number of ids per text.
        vocabulary: Tokens, most frequent first, with or without the leading `""` and `"[UNK]"`.
        vocabulary_size: Size of the vocabulary stored in a file, including ids 0 and 1.

    Raises:
        InvalidOption: For a value that is not supported, a duplicate token, or too many tokens.
    """

    assets: tuple[str, ...] = ("vocabulary.txt",)

    def __init__(
        self,
        max_tokens: int | None = None,
        standardize: str | None = "lower_and_strip_punctuation",
        split: str | None = "whitespace",
        ngrams: None = None,
        output_mode: str = "int",
        output_sequence_length: int | None = None,
        pad_to_max_tokens: bool = False,
        vocabulary: Sequence[str] | None = None,
        idf_weights: None = None,
        sparse: bool = False,
        ragged: bool = False,
        encoding: str = "utf-8",
        vocabulary_size: int | None = None,
        name: str | None = None,
    ) -> None:
        super().__init__(name)
        self.max_tokens = optional_positive("max_tokens", max_tokens)
        self.standardize = one_of("standardize", standardize, tuple(_STANDARDIZE))
        self.split = one_of("split", split, ("whitespace", "character"))
        self.output_mode = one_of("output_mode", output_mode, ("int",))
        self.output_sequence_length = optional_positive(
            "output_sequence_length", output_sequence_length
        )
        self.encoding = one_of("encoding", encoding, ("utf-8",))
        one_of("ngrams", ngrams, (None,))
        one_of("idf_weights", idf_weights, (None,))
        one_of("sparse", sparse, (False,))
        one_of("ragged", ragged, (False,))
        self.pad_to_max_tokens = pad_to_max_tokens  # affects other output modes than "int" only
        self.vocabulary_size = optional_positive("vocabulary_size", vocabulary_size)
        self._table = _STANDARDIZE[self.standardize] | (
            _SPACES if self.split == "whitespace" else {}
        )
        self._ids: dict[str, int] = {}
        if vocabulary is not None:
            self.set_vocabulary(vocabulary)

    def set_vocabulary(self, vocabulary: Sequence[str]) -> None:
        """Set the tokens of the vocabulary.

        Args:
            vocabulary: Tokens, most frequent first, with or without the leading `""`, `"[UNK]"`.
        """
        tokens = [str(token) for token in vocabulary]
        if tokens[:2] == [PADDING_TOKEN, UNKNOWN_TOKEN]:
            tokens = tokens[2:]
        ids = {token: index for index, token in enumerate(tokens, start=2)}
        if len(ids) != len(tokens) or PADDING_TOKEN in ids:
            repeated = next((t for i, t in enumerate(tokens) if ids[t] != i + 2), PADDING_TOKEN)
            raise InvalidOption("vocabulary", repeated, "each token once and none of them empty")
        if self.max_tokens is not None and len(tokens) + 2 > self.max_tokens:
            expected = f"at most max_tokens={self.max_tokens} tokens with padding and [UNK]"
            raise InvalidOption("vocabulary", len(tokens) + 2, expected)
        self._ids = ids

    def get_vocabulary(self, include_special_tokens: bool = True) -> list[str]:
        """Return the tokens in the order of their ids, optionally with `""` and `"[UNK]"` first."""
        special = [PADDING_TOKEN, UNKNOWN_TOKEN] if include_special_tokens else []
        return special + list(self._ids)

    def tokenize(self, text: str) -> list[str]:
        """Standardize a text and split it into tokens.

        Args:
            text: Any Unicode string.

        Returns:
            The tokens in order. Empty if the text contains only whitespace and punctuation.
        """
        standardized = text.translate(self._table)
        if self.split == "character":
            return list(standardized)
        return [token for token in standardized.split(" ") if token]

    def call(self, inputs: Any) -> Array:
        """Return the ids of a batch of texts."""
        if not self._ids:
            raise ValueError(
                f"Layer {self.name!r} has no vocabulary; pass `vocabulary` or call "
                "`set_vocabulary` first."
            )
        texts = _flat_texts(inputs)
        rows = [[self._ids.get(token, 1) for token in self.tokenize(text)] for text in texts]
        width = self.output_sequence_length
        if width is None:
            width = max(map(len, rows), default=0)
        ids = np.zeros((len(rows), width), np.int64)
        for row, found in zip(ids, rows, strict=True):
            kept = found[:width]
            row[: len(kept)] = kept
        return ids

    def compute_output_shape(self, input_shape: Shape) -> Shape:
        """`(N, output_sequence_length)`."""
        return (input_shape[0], self.output_sequence_length)

    def convert(self, inputs: Any) -> Any:
        """Return the strings unchanged."""
        return inputs

    def load_assets(self, assets: dict[str, str]) -> None:
        """Set the vocabulary from the `vocabulary.txt` of an archive, one token per line."""
        self.set_vocabulary(assets["vocabulary.txt"].splitlines())


def _flat_texts(inputs: Any) -> list[str]:
    """Flatten a string, a list of strings, or an array `(N,)` or `(N, 1)` of strings to a list."""
    array = np.asarray(inputs, dtype=object)
    if array.ndim > 2 or (array.ndim == 2 and array.shape[-1] != 1):
        raise ValueError(
            f"Expected texts of shape (batch,) or (batch, 1), got an array of shape {array.shape}."
        )
    return [
        text.decode("utf-8", "replace") if isinstance(text, bytes) else str(text)
        for text in array.ravel()
    ]
