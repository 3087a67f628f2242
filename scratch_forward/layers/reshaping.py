"""Layers that move values without changing them: Flatten, Reshape, Permute, padding, cropping.

They do not pass a mask on.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import Any

import numpy as np

from scratch_forward.errors import InvalidOption
from scratch_forward.layers.base import Array, Layer, Shape
from scratch_forward.layers.options import data_format_option, integers, positive


class Flatten(Layer):
    """`(N, ...)` to `(N, product of the other sizes)`, in C order of the channels-last layout.

    Source: `keras.layers.Flatten` of Keras 3.

    Args:
        data_format: With `"channels_first"`, axis 1 is moved to the end before flattening.
    """

    def __init__(self, data_format: str | None = None, name: str | None = None) -> None:
        super().__init__(name)
        self.data_format = data_format_option(data_format)

    def compute_output_shape(self, input_shape: Shape) -> Shape:
        """Return the batch size and the product of the other sizes."""
        sizes = input_shape[1:]
        known = [size for size in sizes if size is not None]
        return (input_shape[0], math.prod(known) if len(known) == len(sizes) else None)

    def call(self, inputs: Array) -> Array:
        """Flatten all axes but the batch."""
        if self.data_format == "channels_first" and inputs.ndim > 1:
            inputs = np.moveaxis(inputs, 1, -1)
        return inputs.reshape(len(inputs), math.prod(inputs.shape[1:]))


class Reshape(Layer):
    """`(N, ...)` to `(N, *target_shape)` in C order.

    Source: `keras.layers.Reshape` of Keras 3.

    Args:
        target_shape: Shape of one example. One size may be -1.
    """

    def __init__(self, target_shape: Sequence[int], name: str | None = None) -> None:
        super().__init__(name)
        given: list[Any] = (
            list(target_shape) if isinstance(target_shape, list | tuple) else [target_shape]
        )
        open_sizes = [size for size in given if size == -1]
        for size in given:
            if size != -1:
                positive("target_shape", size)
        if len(open_sizes) > 1:
            raise InvalidOption("target_shape", target_shape, "positive sizes and at most one -1")
        self.target_shape = tuple(given)

    def compute_output_shape(self, input_shape: Shape) -> Shape:
        """Return the target shape, with the size for -1 where the sizes of the input are known."""
        known = [size for size in input_shape[1:] if size is not None]
        fixed = math.prod(size for size in self.target_shape if size != -1)
        complete = len(known) == len(input_shape) - 1
        if complete and math.prod(known) % fixed:
            raise ValueError(
                f"Layer {self.name!r} cannot reshape {input_shape[1:]} to {self.target_shape}."
            )
        rest = math.prod(known) // fixed if complete else None
        return (input_shape[0], *(rest if size == -1 else size for size in self.target_shape))

    def call(self, inputs: Array) -> Array:
        """Reshape all axes but the batch."""
        return inputs.reshape(len(inputs), *self.target_shape)


class Permute(Layer):
    """Permutes the axes of an example: output axis i is input axis `dims[i]`, counted from 1.

    Shapes: `(N, ...)` to `(N, ...)` with the sizes in the new order.

    Source: `keras.layers.Permute` of Keras 3.

    Args:
        dims: A permutation of 1 to the number of axes.
    """

    def __init__(self, dims: Sequence[int], name: str | None = None) -> None:
        super().__init__(name)
        given = tuple(dims) if isinstance(dims, list | tuple) else (dims,)
        if sorted(given) != list(range(1, len(given) + 1)):
            raise InvalidOption("dims", dims, "a permutation of 1 to the number of axes")
        self.dims = given

    def compute_output_shape(self, input_shape: Shape) -> Shape:
        """Return the sizes of the input in the new order."""
        return (input_shape[0], *(input_shape[axis] for axis in self.dims))

    def call(self, inputs: Array) -> Array:
        """Transpose."""
        return inputs.transpose(0, *self.dims)


class RepeatVector(Layer):
    """`(N, features)` to `(N, n, features)`: the vector repeated n times.

    Source: `keras.layers.RepeatVector` of Keras 3.

    Args:
        n: Number of repetitions.
    """

    def __init__(self, n: int, name: str | None = None) -> None:
        super().__init__(name)
        self.n = positive("n", n)

    def compute_output_shape(self, input_shape: Shape) -> Shape:
        """Return the shape with `n` steps."""
        return (input_shape[0], self.n, input_shape[1])

    def call(self, inputs: Array) -> Array:
        """Repeat along a new time axis."""
        return np.repeat(inputs[:, None, :], self.n, axis=1)


class _ZeroPadding(Layer):
    """Zero padding of the spatial axes."""

    padding: tuple[tuple[int, int], ...]

    def __init__(self, data_format: str | None, name: str | None) -> None:
        super().__init__(name)
        self.data_format = data_format_option(data_format)

    def _amounts(self) -> list[tuple[int, int]]:
        """Return the padding before and after every axis."""
        channels_first = self.data_format == "channels_first"
        return (
            [(0, 0), (0, 0), *self.padding] if channels_first else [(0, 0), *self.padding, (0, 0)]
        )

    def compute_output_shape(self, input_shape: Shape) -> Shape:
        """Return the padded shape."""
        return tuple(
            None if size is None else size + before + after
            for size, (before, after) in zip(input_shape, self._amounts(), strict=True)
        )

    def call(self, inputs: Array) -> Array:
        """Pad with zeros."""
        return np.pad(inputs, self._amounts())


class ZeroPadding1D(_ZeroPadding):
    """`(N, T, C)` to `(N, left + T + right, C)`, padded with zeros.

    Source: `keras.layers.ZeroPadding1D` of Keras 3.

    Args:
        padding: Number of zeros on both sides, or a pair (left, right).
        data_format: `"channels_last"` (the default) or `"channels_first"`.
    """

    def __init__(
        self, padding: Any = 1, data_format: str | None = None, name: str | None = None
    ) -> None:
        super().__init__(data_format, name)
        left, right = integers("padding", padding, 2, least=0)
        self.padding = ((left, right),)


class ZeroPadding2D(_ZeroPadding):
    """`(N, H, W, C)` to `(N, top + H + bottom, left + W + right, C)`, padded with zeros.

    Source: `keras.layers.ZeroPadding2D` of Keras 3.

    Args:
        padding: An integer, a pair (height, width), or ((top, bottom), (left, right)).
        data_format: `"channels_last"` (the default) or `"channels_first"`.
    """

    def __init__(
        self, padding: Any = (1, 1), data_format: str | None = None, name: str | None = None
    ) -> None:
        super().__init__(data_format, name)
        self.padding = _pairs("padding", padding, 2)


class ZeroPadding3D(_ZeroPadding):
    """`(N, D, H, W, C)` to `(N, D', H', W', C)`, with zeros before and after each spatial axis.

    Source: `keras.layers.ZeroPadding3D` of Keras 3.

    Args:
        padding: An integer, three integers, or three pairs (before, after).
        data_format: `"channels_last"` (the default) or `"channels_first"`.
    """

    def __init__(
        self, padding: Any = (1, 1, 1), data_format: str | None = None, name: str | None = None
    ) -> None:
        super().__init__(data_format, name)
        self.padding = _pairs("padding", padding, 3)


def _pairs(option: str, value: Any, rank: int) -> tuple[tuple[int, int], ...]:
    """Return the padding or cropping before and after each of `rank` axes."""
    sides = (value,) * rank if isinstance(value, int) else value
    if not isinstance(sides, list | tuple) or len(sides) != rank:
        raise InvalidOption(option, value, f"an integer, or one or a pair for each of {rank} axes")
    pairs = [integers(option, side, 2, least=0) for side in sides]
    return tuple((before, after) for before, after in pairs)


class _Cropping(Layer):
    """Cropping of the spatial axes."""

    cropping: tuple[tuple[int, int], ...]

    def __init__(self, data_format: str | None, name: str | None) -> None:
        super().__init__(name)
        self.data_format = data_format_option(data_format)

    def _cuts(self) -> list[tuple[int, int]]:
        """Return the cropping before and after every axis, except the batch and the last."""
        first = [(0, 0)] if self.data_format == "channels_first" else []
        return [*first, *self.cropping]

    def compute_output_shape(self, input_shape: Shape) -> Shape:
        """Return the cropped shape.

        Raises:
            ValueError: If nothing would remain, or the input has a different number of axes.
        """
        self.expect_axes(input_shape, len(self.cropping) + 2)
        sizes = list(input_shape)
        for axis, cut in enumerate(self._cuts(), start=1):
            size = sizes[axis]
            if size is not None and sum(cut) >= size:
                raise ValueError(f"Layer {self.name!r} cuts {cut} off an axis of {size}.")
            sizes[axis] = None if size is None else size - sum(cut)
        return tuple(sizes)

    def call(self, inputs: Array) -> Array:
        """Crop the spatial axes."""
        self.compute_output_shape(inputs.shape)
        kept = [
            slice(before, size - after)
            for (before, after), size in zip(self._cuts(), inputs.shape[1:], strict=False)
        ]
        return inputs[(slice(None), *kept)]


class Cropping1D(_Cropping):
    """`(N, T, C)` to `(N, T - left - right, C)`.

    Source: `keras.layers.Cropping1D` of Keras 3.

    Args:
        cropping: Number of steps to remove on both sides, or a pair (left, right).
    """

    def __init__(self, cropping: Any = (1, 1), name: str | None = None) -> None:
        super().__init__(None, name)
        left, right = integers("cropping", cropping, 2, least=0)
        self.cropping = ((left, right),)


class Cropping2D(_Cropping):
    """`(N, H, W, C)` to `(N, H - top - bottom, W - left - right, C)`.

    Source: `keras.layers.Cropping2D` of Keras 3.

    Args:
        cropping: An integer, a pair (height, width), or ((top, bottom), (left, right)).
        data_format: `"channels_last"` (the default) or `"channels_first"`.
    """

    def __init__(
        self,
        cropping: Any = ((0, 0), (0, 0)),
        data_format: str | None = None,
        name: str | None = None,
    ) -> None:
        super().__init__(data_format, name)
        self.cropping = _pairs("cropping", cropping, 2)


class Cropping3D(_Cropping):
    """`(N, D, H, W, C)` to `(N, D', H', W', C)`, cropped before and after each spatial axis.

    Source: `keras.layers.Cropping3D` of Keras 3.

    Args:
        cropping: An integer, three integers, or three pairs (before, after).
        data_format: `"channels_last"` (the default) or `"channels_first"`.
    """

    def __init__(
        self,
        cropping: Any = ((1, 1), (1, 1), (1, 1)),
        data_format: str | None = None,
        name: str | None = None,
    ) -> None:
        super().__init__(data_format, name)
        self.cropping = _pairs("cropping", cropping, 3)
