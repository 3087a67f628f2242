"""Encoding of numbers and ids as categories: `Discretization` and `CategoryEncoding`."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np

from scratch_forward.errors import InvalidOption
from scratch_forward.layers.base import Array, Generator, Layer, Shape
from scratch_forward.layers.options import number, one_of, optional_positive, positive

ENCODINGS = ("one_hot", "multi_hot", "count")


def encoded(ids: Array, mode: str, depth: int, dtype: Any) -> Array:
    """Encode category ids as vectors of size `depth`.

    Args:
        ids: Integers `(N, k)` or with more axes, or `(N,)` for `"one_hot"`. Ids outside 0 to
            `depth - 1` are ignored.
        mode: `"one_hot"`: 1 at the id; a last axis of size 1 is replaced. `"multi_hot"`: 1 at every
            id along axis 1. `"count"`: number of occurrences of each id along axis 1.
        depth: Number of categories.
        dtype: Dtype of the result.

    Returns:
        Vectors `(..., depth)`. See `encoded_shape`.
    """
    encoded_shape(ids.shape, mode, depth)
    if mode == "one_hot" and ids.ndim > 1 and ids.shape[-1] == 1:
        ids = ids[..., 0]
    vectors = ids[..., None] == np.arange(depth)
    if mode == "one_hot":
        return vectors.astype(dtype)
    return (vectors.any(axis=1) if mode == "multi_hot" else vectors.sum(axis=1)).astype(dtype)


def encoded_shape(input_shape: Shape, mode: str, depth: int | None) -> Shape:
    """Return the shape of the result of `encoded`.

    Raises:
        ValueError: For ids `(N,)`, except with `"one_hot"`. Keras takes the whole batch for one
            example then, so the result would depend on the batch size.
    """
    if mode == "one_hot":
        single = len(input_shape) > 1 and input_shape[-1] == 1
        return (*(input_shape[:-1] if single else input_shape), depth)
    if len(input_shape) < 2:
        raise ValueError(f"Expected ids of shape (N, k) for {mode!r}, got shape {input_shape}.")
    return (input_shape[0], *input_shape[2:], depth)


class CategoryEncoding(Layer):
    """Integer ids as vectors with one element per category. See `encoded` for the modes.

    Shapes: ids `(N, k)` to `(N, num_tokens)`; with `"one_hot"`, `(N, 1)` to `(N, num_tokens)` and
    `(N, k)` to `(N, k, num_tokens)`.

    Source: `keras.layers.CategoryEncoding` of Keras 3.

    Args:
        num_tokens: Number of categories.
        output_mode: `"multi_hot"`, `"one_hot"` or `"count"`.
        sparse: Must be False.
    """

    call_arguments = ("inputs", "count_weights")

    def __init__(
        self,
        num_tokens: int,
        output_mode: str = "multi_hot",
        sparse: bool = False,
        name: str | None = None,
    ) -> None:
        super().__init__(name)
        self.num_tokens = positive("num_tokens", num_tokens)
        self.output_mode = one_of("output_mode", output_mode, ENCODINGS)
        one_of("sparse", sparse, (False,))

    def convert(self, inputs: Any) -> Array:
        """Truncate ids to integers.

        Raises:
            ValueError: If an id is outside 0 to `num_tokens - 1`.
        """
        ids = np.asarray(inputs)
        ids = ids if ids.dtype.kind in "iu" else ids.astype(np.int64)
        if ids.size and not 0 <= ids.min() <= ids.max() < self.num_tokens:
            raise ValueError(
                f"Layer {self.name!r} encodes ids from 0 to {self.num_tokens - 1}, got ids from "
                f"{ids.min()} to {ids.max()}."
            )
        return ids

    def compute_output_shape(self, input_shape: Shape) -> Shape:
        """Return the shape of the vectors."""
        return encoded_shape(input_shape, self.output_mode, self.num_tokens)

    def apply(
        self,
        inputs: Array,
        _mask: Any,
        _generator: Generator | None,
        /,
        count_weights: Any = None,
        **_: Any,
    ) -> Array:
        """Encode, or sum the weights `(N, k)` of the ids in the mode `"count"`.

        Raises:
            ValueError: If there are weights in another mode, or their shape is not that of the ids.
        """
        if count_weights is None:
            return encoded(inputs, self.output_mode, self.num_tokens, self.dtype)
        weights = np.asarray(count_weights, self.dtype)
        if self.output_mode != "count" or weights.shape != inputs.shape or inputs.ndim != 2:
            raise ValueError(
                f"Layer {self.name!r} takes `count_weights` of the shape (N, k) of its ids with "
                f"output_mode='count', got {weights.shape} for {inputs.shape}."
            )
        vectors = encoded(inputs[..., None], "one_hot", self.num_tokens, self.dtype)
        total: Array = np.einsum("nk,nkd->nd", weights, vectors)
        return total


class Discretization(Layer):
    """The index of the bin of each number: the number of boundaries that are not above it.

    Shapes: `(N, ...)` to int32 bins `(N, ...)`. For other modes than `"int"`, see
    `CategoryEncoding`.

    Source: `keras.layers.Discretization` of Keras 3.

    Args:
        bin_boundaries: Boundaries in increasing order. There is one more bin than boundaries.
        num_bins: Number of bins for which boundaries were learned. Keras stores both.
        epsilon: Ignored. Accuracy of learned boundaries.
        output_mode: `"int"`, `"one_hot"`, `"multi_hot"` or `"count"`.
        sparse: Must be False.
    """

    def __init__(
        self,
        bin_boundaries: Sequence[float] | None = None,
        num_bins: int | None = None,
        epsilon: float = 0.01,
        output_mode: str = "int",
        sparse: bool = False,
        name: str | None = None,
    ) -> None:
        super().__init__(name)
        self.num_bins = optional_positive("num_bins", num_bins)
        self.epsilon = number("epsilon", epsilon)
        self.output_mode = one_of("output_mode", output_mode, ("int", *ENCODINGS))
        one_of("sparse", sparse, (False,))
        if not isinstance(bin_boundaries, list | tuple) or not bin_boundaries:
            raise InvalidOption("bin_boundaries", bin_boundaries, "a list of increasing numbers")
        self.bin_boundaries = [number("bin_boundaries", one) for one in bin_boundaries]
        if sorted(self.bin_boundaries) != self.bin_boundaries:
            raise InvalidOption("bin_boundaries", bin_boundaries, "a list of increasing numbers")

    def compute_output_shape(self, input_shape: Shape) -> Shape:
        """Return the shape of the input, or that of the encoded vectors."""
        if self.output_mode == "int":
            return input_shape
        return encoded_shape(input_shape, self.output_mode, len(self.bin_boundaries) + 1)

    def call(self, inputs: Array) -> Array:
        """Find the bins and encode them. Boundaries are float32, as in TensorFlow."""
        boundaries = np.asarray(self.bin_boundaries, np.float32)
        bins = np.searchsorted(boundaries, inputs.astype(np.float32), side="right")
        if self.output_mode == "int":
            return bins.astype(np.int32)
        return encoded(bins, self.output_mode, len(boundaries) + 1, self.dtype)
