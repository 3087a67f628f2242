"""Conversion of raw input to a model's input, in a form that is stored with the weights.

The stored form contains the vocabulary or the scale, and the class names, which is all that later
predictions from raw texts or images need.
"""

from __future__ import annotations

import json
import math
from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import asdict, dataclass, fields
from functools import cached_property
from typing import Any, ClassVar, TypeAlias

import numpy as np
from numpy.typing import NDArray

from scratch_forward.errors import PreprocessingError
from scratch_forward.layers import TextVectorization

PADDING_ID = 0
UNKNOWN_ID = 1
RESERVED_TOKENS = ("", "[UNK]")
PADDINGS = ("post", "pre")
LONGEST = 1_000_000  # largest sequence length of a stored preprocessing
WIDEST = 100_000  # largest number of pixels and channels of a stored preprocessing
_AT_ONCE = 256  # images scaled at once; a batch that fits the cache is reordered twice as fast

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

    kind: ClassVar[str] = "text"

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
        """Convert N texts to zero-padded token ids, int32 of shape ``(N, sequence_length)``."""
        rows = [tokenize(text)[: self.sequence_length] for text in texts]
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
        return _to_json(self)

    @classmethod
    def from_json(cls, text: str) -> TextPreprocessing:
        """Parse the output of `to_json`. Raises PreprocessingError if the text is invalid."""
        stored = _fields(text, cls)
        return cls(
            vocabulary=_words(stored, "vocabulary"),
            sequence_length=_whole(stored["sequence_length"], "sequence_length", LONGEST),
            padding=_text(stored["padding"], "padding"),
            classes=_class_names(stored),
        )


@dataclass(frozen=True)
class ImagePreprocessing:
    """Conversion of images with integer pixels to float32 in [0, 1].

    Attributes:
        input_shape: Height, width and channels.
        scale: Factor for raw pixels (the `scale` of Keras's Rescaling).
        classes: Class names in label order.
    """

    kind: ClassVar[str] = "image"

    input_shape: tuple[int, int, int]
    scale: float
    classes: tuple[str, ...]

    def encode(self, images: NDArray[Any]) -> NDArray[np.float32]:
        """Scale N images, uint8 of shape ``(N, H, W, C)``, to float32 of the same shape.

        Raises:
            PreprocessingError: If the images have another shape or dtype.
        """
        if images.dtype != np.uint8 or images.shape[1:] != self.input_shape:
            raise PreprocessingError(
                f"Images are {images.dtype} of shape {images.shape}: expected uint8 of shape "
                f"(N, {', '.join(map(str, self.input_shape))})."
            )
        encoded = np.empty(images.shape, np.float32)
        for first in range(0, len(images), _AT_ONCE):
            part = slice(first, first + _AT_ONCE)
            in_order = np.ascontiguousarray(images[part])
            np.multiply(in_order, np.float32(self.scale), out=encoded[part])
        return encoded

    def describe(self) -> str:
        """Return a phrase with the shape of an image."""
        return f"images {'x'.join(map(str, self.input_shape))}"

    def to_json(self) -> str:
        """Return all that is needed to encode and to name the classes, as JSON text."""
        return _to_json(self)

    @classmethod
    def from_json(cls, text: str) -> ImagePreprocessing:
        """Parse the output of `to_json`. Raises PreprocessingError if the text is invalid."""
        stored = _fields(text, cls)
        shape, scale = stored["input_shape"], stored["scale"]
        if not isinstance(shape, list) or len(shape) != 3:
            raise PreprocessingError(f"input_shape={shape!r}: expected height, width, channels.")
        height, width, channels = (_whole(size, "input_shape", WIDEST) for size in shape)
        if not isinstance(scale, int | float) or not 0 < scale < math.inf:
            raise PreprocessingError(f"scale={scale!r}: expected a positive number.")
        return cls((height, width, channels), float(scale), _class_names(stored))


Preprocessing: TypeAlias = TextPreprocessing | ImagePreprocessing


def from_json(text: str) -> Preprocessing:
    """Parse a preprocessing of either kind from the output of `to_json`.

    Raises:
        PreprocessingError: If the text is not a stored preprocessing.
    """
    kind = _document(text).get("kind")
    for preprocessing in (TextPreprocessing, ImagePreprocessing):
        if kind == preprocessing.kind:
            return preprocessing.from_json(text)
    raise PreprocessingError(f"A stored preprocessing has the kind text or image, got {kind!r}.")


def _to_json(preprocessing: Preprocessing) -> str:
    stored = {"kind": preprocessing.kind, **asdict(preprocessing)}
    return json.dumps(stored, ensure_ascii=False, indent=1) + "\n"


def _document(text: str) -> dict[str, Any]:
    try:
        document = json.loads(text)
    except (ValueError, RecursionError) as error:
        raise PreprocessingError(f"A stored preprocessing is not JSON: {error}.") from error
    if not isinstance(document, dict):
        raise PreprocessingError(
            "A stored preprocessing is a JSON object with a kind, got another value."
        )
    return document


def _fields(text: str, kind: type[TextPreprocessing] | type[ImagePreprocessing]) -> dict[str, Any]:
    document = _document(text)
    if document.get("kind") != kind.kind:
        raise PreprocessingError(
            f"Expected a preprocessing of {kind.kind}, got {document.get('kind')!r}."
        )
    missing = [name for name in (f.name for f in fields(kind)) if name not in document]
    if missing:
        raise PreprocessingError(f"A stored preprocessing lacks {', '.join(missing)}.")
    return document


def _whole(value: Any, name: str, most: int) -> int:
    if type(value) is not int or not 1 <= value <= most:
        raise PreprocessingError(
            f"{name} holds {value!r}: expected a whole number from 1 to {most:,}."
        )
    return value


def _text(value: Any, name: str) -> str:
    if not isinstance(value, str):
        raise PreprocessingError(f"{name} holds {value!r}: expected text.")
    return value


def _words(stored: dict[str, Any], name: str) -> tuple[str, ...]:
    """Return a stored list of texts, after checking that it has no duplicates."""
    words = stored[name]
    if not isinstance(words, list):
        raise PreprocessingError(f"{name} is not a list.")
    if len(set(words := [_text(word, name) for word in words])) < len(words):
        raise PreprocessingError(f"{name} holds something twice.")
    return tuple(words)


def _class_names(stored: dict[str, Any]) -> tuple[str, ...]:
    if not (names := _words(stored, "classes")):
        raise PreprocessingError("classes is empty.")
    return names
