"""Lookup of strings and integers in a vocabulary: `StringLookup` and `IntegerLookup`."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np

from scratch_forward.errors import InvalidOption
from scratch_forward.layers.base import Array, Layer, Shape
from scratch_forward.layers.categories import ENCODINGS, encoded, encoded_shape
from scratch_forward.layers.hashing import Salt, bucket, salt_option
from scratch_forward.layers.options import boolean, integers, one_of, optional_positive

VOCABULARY_FILE = "vocabulary.txt"
IDF_WEIGHTS = "idf_weights"
OUTPUT_MODES = ("int", *ENCODINGS, "tf_idf")
_OLD_NAMES = {"binary": "multi_hot", "tf-idf": "tf_idf"}


class IndexLookup(Layer):
    """Base class of layers that replace tokens by their index in a vocabulary.

    The first indices are special: the mask token, if there is one and the output mode is `"int"`,
    then `num_oov_indices` for tokens outside the vocabulary.

    Source: `keras.src.layers.preprocessing.index_lookup` of Keras 3.
    """

    call_arguments = ("inputs",)

    def __init__(
        self,
        max_tokens: int | None,
        num_oov_indices: int,
        mask_token: Any,
        oov_token: Any,
        output_mode: str,
        pad_to_max_tokens: bool,
        sparse: bool,
        vocabulary_size: int | None,
        name: str | None,
    ) -> None:
        super().__init__(name)
        self.vocabulary_size = optional_positive("vocabulary_size", vocabulary_size)
        self.max_tokens = optional_positive("max_tokens", max_tokens)
        self.num_oov_indices = integers("num_oov_indices", num_oov_indices, 1, least=0)[0]
        self.mask_token = self._token_in("mask_token", mask_token)
        self.oov_token = self._token_in("oov_token", oov_token)
        mode = _OLD_NAMES.get(output_mode, output_mode) if isinstance(output_mode, str) else None
        self.output_mode = one_of("output_mode", mode or output_mode, OUTPUT_MODES)
        self.pad_to_max_tokens = boolean("pad_to_max_tokens", pad_to_max_tokens)
        if self.pad_to_max_tokens and self.max_tokens is None:
            raise InvalidOption("pad_to_max_tokens", True, "false without `max_tokens`")
        one_of("sparse", sparse, (False,))
        self.invert = False
        self.oov_method = "farmhash"
        self.salt: tuple[int, int] | None = None
        self._tokens: list[Any] = []
        self._ids: dict[Any, int] = {}
        self._idf: Array | None = None

    def _inversion(self, invert: bool) -> bool:
        """Return the option `invert`, which needs ids in the input and a token for unknown ids."""
        if boolean("invert", invert):
            one_of("output_mode", self.output_mode, ("int",))
            if self.oov_token is None:
                raise InvalidOption("oov_token", None, "a token, with invert=True")
        return invert

    # Vocabulary

    @property
    def assets(self) -> tuple[str, ...]:  # type: ignore[override]
        """Names of the files to read: none if the configuration contains the vocabulary."""
        return () if self._tokens else (VOCABULARY_FILE,)

    @property
    def stored_arrays(self) -> tuple[str, ...]:  # type: ignore[override]
        """Names of the arrays to read from the weights file."""
        return (IDF_WEIGHTS,) if self.output_mode == "tf_idf" else ()

    @property
    def _first_oov(self) -> int:
        return int(self.mask_token is not None and self.output_mode == "int")

    @property
    def _first_token(self) -> int:
        return self._first_oov + self.num_oov_indices

    @property
    def _special(self) -> list[Any]:
        return [self.mask_token] * self._first_oov + [self.oov_token] * self.num_oov_indices

    @property
    def depth(self) -> int | None:
        """Number of indices, the size of an encoded vector. None if it is not known yet."""
        if self.pad_to_max_tokens:
            return self.max_tokens
        return self._first_token + len(self._tokens) if self._tokens else self.vocabulary_size

    def set_vocabulary(
        self, vocabulary: Sequence[Any], idf_weights: Sequence[float] | None = None
    ) -> None:
        """Set the tokens of the vocabulary.

        Args:
            vocabulary: Tokens, most frequent first, with or without the special ones at the front.
            idf_weights: Inverse document frequency of each token, for the mode `"tf_idf"`.
        """
        if not isinstance(vocabulary, list | tuple | np.ndarray):
            raise InvalidOption("vocabulary", vocabulary, "a list of tokens")
        given = [self._token_in("vocabulary", token) for token in vocabulary]
        first = self._first_token
        complete = len(given) >= first and given[:first] == self._special
        tokens = given[first:] if complete else given
        self._ids = {token: index for index, token in enumerate(tokens, start=first)}
        if len(self._ids) != len(tokens) or (
            self.mask_token is not None and self.mask_token in self._ids
        ):
            repeated = next((t for i, t in enumerate(tokens) if self._ids[t] != i + first), "")
            raise InvalidOption("vocabulary", repeated, "each token once and none of them special")
        if self.max_tokens is not None and len(tokens) + first > self.max_tokens:
            expected = f"at most max_tokens={self.max_tokens} tokens with the special ones"
            raise InvalidOption("vocabulary", len(tokens) + first, expected)
        if self.output_mode != "int" and self.vocabulary_size not in (None, len(tokens) + first):
            expected = f"vocabulary_size={self.vocabulary_size} tokens with the special ones"
            raise InvalidOption("vocabulary", len(tokens) + first, expected)
        self._tokens = tokens
        if idf_weights is not None:
            self.set_idf_weights(idf_weights, 0 if complete else first)

    def set_idf_weights(self, idf_weights: Any, missing: int = 0) -> None:
        """Set the inverse document frequencies.

        Args:
            idf_weights: One number per token.
            missing: Number of special tokens that have none; they get the mean.

        Raises:
            InvalidOption: If there is not one number per token.
        """
        try:
            weights = np.asarray(idf_weights, np.float64)
        except (TypeError, ValueError):
            raise InvalidOption(IDF_WEIGHTS, idf_weights, "a list of numbers") from None
        if self.output_mode != "tf_idf" or weights.ndim != 1 or not weights.size:
            raise InvalidOption(IDF_WEIGHTS, idf_weights, 'a list, with output_mode="tf_idf"')
        weights = np.concatenate([np.full(missing, weights.mean()), weights])
        size = self._first_token + len(self._tokens)
        if weights.size not in (size, self.depth):  # Keras pads them with zeros up to the depth
            raise InvalidOption(IDF_WEIGHTS, f"{weights.size} numbers", f"{size} numbers")
        self._idf = weights.astype(np.float32)

    def get_vocabulary(self, include_token_ins: bool = True) -> list[Any]:
        """Return the tokens in the order of their indices, optionally with the special ones."""
        return (self._special if include_token_ins else []) + self._tokens

    def load_assets(self, texts: dict[str, str], arrays: dict[str, Array]) -> None:
        """Set the vocabulary from a text with one token per line, and the stored frequencies."""
        if texts:
            lines = texts[VOCABULARY_FILE].splitlines()
            while lines and not lines[-1]:
                lines.pop()
            self.set_vocabulary(lines)
        if arrays:
            self.set_idf_weights(arrays[IDF_WEIGHTS])

    def _token_in(self, option: str, item: Any) -> Any:
        """Return a token that an option names, or None."""
        try:
            return None if item is None else self.token_of(item)
        except ValueError:
            raise InvalidOption(option, item, "strings, or integers for IntegerLookup") from None

    def token_of(self, item: Any) -> Any:
        """Return a token of the vocabulary, given an element of an input or a line of a file."""
        raise NotImplementedError

    # Lookup

    def convert(self, inputs: Any) -> Any:
        """Return the input unchanged."""
        return inputs

    def ids_of(self, tokens: Sequence[Any]) -> list[int]:
        """Return the index of each token; -1 for the mask token where it has no index.

        Raises:
            ValueError: If there is no vocabulary, or a token has no index.
        """
        if not self._tokens:
            raise ValueError(
                f"Layer {self.name!r} has no vocabulary; pass `vocabulary` or call "
                "`set_vocabulary` first."
            )
        return [self._id_of(token) for token in tokens]

    def _id_of(self, token: Any) -> int:
        if self.mask_token is not None and token == self.mask_token:
            return self._first_oov - 1
        known = self._ids.get(token)
        if known is not None:
            return known
        if self.num_oov_indices == 0:
            raise ValueError(f"Layer {self.name!r} has no index for {token!r}.")
        if self.num_oov_indices == 1:
            return self._first_oov
        if self.oov_method == "floormod":
            return self._first_oov + token % self.num_oov_indices
        return self._first_oov + bucket(token, self.num_oov_indices, self.salt)

    def call(self, inputs: Any) -> Array:
        """Look up the tokens and encode their indices, or look up indices if inverted."""
        array = np.asarray(inputs, dtype=object)
        tokens = [self.token_of(item) for item in array.ravel()]
        return self.encoded(np.array(self.ids_of(tokens), np.int64).reshape(array.shape))

    def encoded(self, ids: Array) -> Array:
        """Encode indices in the output mode. Indices below 0 are dropped."""
        if self.output_mode == "int":
            return ids
        depth = self.depth or 0
        if self.output_mode != "tf_idf":
            return encoded(ids, self.output_mode, depth, np.int64)
        if self._idf is None:
            raise ValueError(f"Layer {self.name!r} has no `idf_weights`.")
        vectors = encoded(ids, "count", depth, np.float32)
        vectors[..., : len(self._idf)] *= self._idf
        return vectors

    def compute_output_shape(self, input_shape: Shape) -> Shape:
        """Return the shape of the input, or that of the encoded vectors."""
        if self.output_mode == "int":
            return input_shape
        mode = "count" if self.output_mode == "tf_idf" else self.output_mode
        return encoded_shape(input_shape, mode, self.depth)

    def inverted(self, inputs: Any) -> list[Any]:
        """Return the tokens of indices as a flat list. Unknown indices give `oov_token`."""
        self.ids_of([])  # checks that there is a vocabulary
        words = dict(enumerate(self._tokens, start=self._first_token))
        if self.mask_token is not None:
            words[0] = self.mask_token
        ids = np.asarray(inputs).astype(np.int64).ravel().tolist()
        return [words.get(index, self.oov_token) for index in ids]


class StringLookup(IndexLookup):
    """Strings to their indices in a vocabulary, or indices to strings.

    Shapes: strings `(N, ...)` to int64 `(N, ...)`. Other output modes encode the indices, as
    `CategoryEncoding` does; `"tf_idf"` multiplies counts by the inverse document frequency. With
    `invert`, indices `(N, ...)` to an object array of bytes.

    Source: `keras.layers.StringLookup` of Keras 3.

    Args:
        max_tokens: Largest size of the vocabulary, including special tokens.
        num_oov_indices: Number of indices for unknown strings. With several, a string is hashed.
        mask_token: String with index 0 in the mode `"int"`, and no index in other modes.
        oov_token: String for unknown indices.
        vocabulary: Strings, most frequent first.
        idf_weights: Inverse document frequencies.
        invert: Whether to map indices to strings.
        output_mode: `"int"`, `"one_hot"`, `"multi_hot"`, `"count"` or `"tf_idf"`.
        pad_to_max_tokens: Whether encoded vectors have the size `max_tokens`.
        sparse: Must be False.
        encoding: Must be `"utf-8"`.
        salt: Key of SipHash for unknown strings. By default FarmHash is used.
        oov_method: Ignored. Strings are always hashed.
        vocabulary_size: Size of the vocabulary in a file, including special tokens.
    """

    def __init__(
        self,
        max_tokens: int | None = None,
        num_oov_indices: int = 1,
        mask_token: str | None = None,
        oov_token: str | None = "[UNK]",
        vocabulary: Sequence[str] | None = None,
        idf_weights: Sequence[float] | None = None,
        invert: bool = False,
        output_mode: str = "int",
        pad_to_max_tokens: bool = False,
        sparse: bool = False,
        encoding: str = "utf-8",
        salt: Salt = None,
        oov_method: str = "floormod",
        vocabulary_size: int | None = None,
        name: str | None = None,
    ) -> None:
        super().__init__(
            max_tokens,
            num_oov_indices,
            mask_token,
            oov_token,
            output_mode,
            pad_to_max_tokens,
            sparse,
            vocabulary_size,
            name,
        )
        self.invert = self._inversion(invert)
        one_of("encoding", encoding, ("utf-8",))
        one_of("oov_method", oov_method, ("floormod", "farmhash"))
        self.salt = salt_option(salt)
        if vocabulary is not None:
            self.set_vocabulary(vocabulary, idf_weights)

    def token_of(self, item: Any) -> str:
        """Return a string. See `text_of`."""
        return text_of(item)

    def call(self, inputs: Any) -> Array:
        """Look up strings, or indices if inverted."""
        if not self.invert:
            return super().call(inputs)
        words = [bytes_of(word) for word in self.inverted(inputs)]
        return np.array(words, object).reshape(np.shape(inputs))


class IntegerLookup(IndexLookup):
    """Integers to their indices in a vocabulary, or indices to integers.

    Shapes: integers `(N, ...)` to int64 `(N, ...)`. For other output modes, see `StringLookup`.

    Source: `keras.layers.IntegerLookup` of Keras 3.

    Args:
        max_tokens: Largest size of the vocabulary, including special tokens.
        num_oov_indices: Number of indices for unknown integers.
        mask_token: Integer with index 0 in the mode `"int"`, and no index in other modes.
        oov_token: Integer for unknown indices.
        vocabulary: Integers, most frequent first.
        vocabulary_dtype: Must be `"int64"`.
        idf_weights: Inverse document frequencies.
        invert: Whether to map indices to integers.
        output_mode: `"int"`, `"one_hot"`, `"multi_hot"`, `"count"` or `"tf_idf"`.
        sparse: Must be False.
        pad_to_max_tokens: Whether encoded vectors have the size `max_tokens`.
        oov_method: How several indices for unknown integers are chosen: `"floormod"`, the
            remainder, or `"farmhash"`.
        salt: Key of SipHash, which is then used instead of FarmHash.
        vocabulary_size: Size of the vocabulary in a file, including special tokens.
    """

    def __init__(
        self,
        max_tokens: int | None = None,
        num_oov_indices: int = 1,
        mask_token: int | None = None,
        oov_token: int | None = -1,
        vocabulary: Sequence[int] | None = None,
        vocabulary_dtype: str = "int64",
        idf_weights: Sequence[float] | None = None,
        invert: bool = False,
        output_mode: str = "int",
        sparse: bool = False,
        pad_to_max_tokens: bool = False,
        oov_method: str = "floormod",
        salt: Salt = None,
        vocabulary_size: int | None = None,
        name: str | None = None,
    ) -> None:
        super().__init__(
            max_tokens,
            num_oov_indices,
            mask_token,
            oov_token,
            output_mode,
            pad_to_max_tokens,
            sparse,
            vocabulary_size,
            name,
        )
        self.invert = self._inversion(invert)
        one_of("vocabulary_dtype", vocabulary_dtype, ("int64",))
        self.oov_method = one_of("oov_method", oov_method, ("floormod", "farmhash"))
        self.salt = salt_option(salt)
        if self.salt is not None and oov_method == "floormod":
            raise InvalidOption("salt", salt, 'null, or oov_method="farmhash"')
        if vocabulary is not None:
            self.set_vocabulary(vocabulary, idf_weights)

    def token_of(self, item: Any) -> int:
        """Return an integer.

        Raises:
            ValueError: If it is not a number.
        """
        try:
            return int(item)
        except (TypeError, ValueError, OverflowError):
            raise ValueError(f"Expected an integer, got {item!r}.") from None

    def call(self, inputs: Any) -> Array:
        """Look up integers, or indices if inverted. Floats are truncated."""
        array = np.asarray(inputs)
        if array.dtype.kind not in "iufb":
            raise ValueError(f"Layer {self.name!r} takes integers, got {array.dtype}.")
        if self.invert:
            return np.array(self.inverted(array), np.int64).reshape(array.shape)
        return super().call(array)


def text_of(item: Any) -> str:
    """Return a string, given a string or its bytes in UTF-8.

    Raises:
        ValueError: If it is neither.
    """
    if isinstance(item, bytes):
        return item.decode("utf-8", "surrogateescape")
    if isinstance(item, str):
        return str(item)
    raise ValueError(f"Expected a string, got {item!r}.")


def bytes_of(text: str) -> bytes:
    """Return the bytes of a string that `text_of` returned."""
    return text.encode("utf-8", "surrogateescape")
