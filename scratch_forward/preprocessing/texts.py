"""Conversion of texts to padded token ids."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import ClassVar, Literal

import numpy as np
from numpy.typing import NDArray

from scratch_forward.errors import PreprocessingError
from scratch_forward.layers import TextVectorization
from scratch_forward.preprocessing.stored_fields import (
    class_names,
    stored_fields,
    text_of,
    to_json,
    whole_number,
    words_of,
)

PADDING_ID = 0
UNKNOWN_ID = 1
RESERVED_TOKENS = ("", "[UNK]")
PADDINGS = ("post", "pre")
LONGEST = 1_000_000  # largest sequence length of a stored preprocessing

tokenize = TextVectorization().tokenize
"""Split a text as Keras's TextVectorization: lower case, no punctuation, by whitespace."""


@dataclass(frozen=True)
class TextPreprocessing:
    """Conversion of texts to padded token ids, numbered as by Keras's TextVectorization.

    Attributes:
        vocabulary: Tokens by id. Id 0 is padding (``""``), and 1 any unknown token (``"[UNK]"``).
        sequence_length: Number of ids per text. Longer texts are truncated at the end.
        padding: ``"post"`` or ``"pre"``: the side of the text on which zeros are added.
        classes: Class names in label order.
    """

    kind: ClassVar[Literal["text"]] = "text"

    vocabulary: tuple[str, ...]
    sequence_length: int
    padding: str
    classes: tuple[str, ...]

    def __post_init__(self) -> None:
        if self.vocabulary[:2] != RESERVED_TOKENS:
            raise PreprocessingError(
                f"A vocabulary begins with {list(RESERVED_TOKENS)} (padding and unknown tokens), "
                f"got {list(self.vocabulary[:2])}."
            )
        if self.padding not in PADDINGS:
            raise PreprocessingError(f"padding={self.padding!r} is unknown: expected post or pre.")
        if self.sequence_length < 1:
            raise PreprocessingError(
                f"sequence_length={self.sequence_length} is too small: expected at least 1."
            )

    @classmethod
    def fit(
        cls,
        texts: Sequence[str],
        classes: Sequence[str],
        *,
        vocabulary_size: int | None = None,
        max_length: int | None = None,
        padding: str = "post",
    ) -> TextPreprocessing:
        """Learn the vocabulary, most frequent token first, and the length from training texts.

        Args:
            texts: The training texts, without validation or test texts.
            classes: Class names in label order.
            vocabulary_size: Largest size of the vocabulary, including the two reserved entries.
                None keeps all tokens.
            max_length: Number of ids per text. None uses the length of the longest training text.
            padding: ``"post"`` or ``"pre"``.

        Returns:
            The preprocessing.

        Raises:
            PreprocessingError: If the vocabulary has no room for a word, the length is below 1, or
                the padding is unknown.
        """
        if vocabulary_size is not None and vocabulary_size <= len(RESERVED_TOKENS):
            raise PreprocessingError(
                f"vocabulary_size={vocabulary_size} is too small: expected at least "
                f"{len(RESERVED_TOKENS) + 1} (padding, unknown and one word)."
            )
        tokenized = [tokenize(text) for text in texts]
        counts = Counter(token for tokens in tokenized for token in tokens)
        by_frequency = sorted(counts, key=lambda token: (-counts[token], token))
        longest = max((len(tokens) for tokens in tokenized), default=0)
        return cls(
            vocabulary=(*RESERVED_TOKENS, *by_frequency)[:vocabulary_size],
            sequence_length=max(longest, 1) if max_length is None else max_length,
            padding=padding,
            classes=tuple(classes),
        )

    @cached_property
    def _ids(self) -> dict[str, int]:
        return {token: index for index, token in enumerate(self.vocabulary)}

    def encode(self, texts: Iterable[str]) -> NDArray[np.int32]:
        """Convert N texts to zero-padded token ids, int32 of shape ``(N, sequence_length)``.

        Raises:
            PreprocessingError: If something else than texts is given.
        """
        given = [] if isinstance(texts, str) else list(texts)
        if isinstance(texts, str) or not all(isinstance(text, str) for text in given):
            raise PreprocessingError("This model reads texts: expected a list of strings.")
        rows = [tokenize(text)[: self.sequence_length] for text in given]
        ids = np.full((len(rows), self.sequence_length), PADDING_ID, np.int32)
        for row, tokens in zip(ids, rows, strict=True):
            start = 0 if self.padding == "post" else self.sequence_length - len(tokens)
            row[start : start + len(tokens)] = [self._ids.get(t, UNKNOWN_ID) for t in tokens]
        return ids

    def describe(self) -> str:
        """Return a phrase with the sequence length and the vocabulary size."""
        return f"{self.sequence_length} tokens from a vocabulary of {len(self.vocabulary):,}"

    def to_json(self) -> str:
        """Return all that is needed to encode and to name the classes, as JSON text."""
        return to_json(self)

    @classmethod
    def from_json(cls, text: str) -> TextPreprocessing:
        """Parse the output of `to_json`. Raises PreprocessingError if the text is invalid."""
        stored = stored_fields(text, cls)
        return cls(
            vocabulary=words_of(stored, "vocabulary"),
            sequence_length=whole_number(stored["sequence_length"], "sequence_length", LONGEST),
            padding=text_of(stored["padding"], "padding"),
            classes=class_names(stored),
        )
