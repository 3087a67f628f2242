"""Adaptive pooling: a fixed number of output elements, each from a window of nearly equal size."""

from __future__ import annotations

import itertools
from typing import Any

import numpy as np

from scratch_forward.layers.base import Array, Layer, Shape
from scratch_forward.layers.options import data_format_option, integers


class _AdaptivePooling(Layer):
    """Window p of an axis of n elements with m outputs: `floor(p n / m)` to `ceil((p + 1) n / m)`.

    The windows overlap if m does not divide n.
    """

    rank: int

    def __init__(
        self, output_size: Any, data_format: str | None = None, name: str | None = None
    ) -> None:
        super().__init__(name)
        self.output_size = integers("output_size", output_size, self.rank)
        self.data_format = data_format_option(data_format)

    def compute_output_shape(self, input_shape: Shape) -> Shape:
        """Return the shape with `output_size` instead of the spatial sizes.

        Raises:
            ValueError: If the input has a different number of axes.
        """
        self.expect_axes(input_shape, self.rank + 2)
        if self.data_format == "channels_first":
            return (*input_shape[:2], *self.output_size)
        return (input_shape[0], *self.output_size, input_shape[-1])

    def call(self, inputs: Array) -> Array:
        """Pool each window, with the channels as the last axis."""
        self.compute_output_shape(inputs.shape)
        first = self.data_format == "channels_first"
        images = np.moveaxis(inputs, 1, -1) if first else inputs
        outputs = np.empty((len(images), *self.output_size, images.shape[-1]), self.dtype)
        windows = [
            [slice(p * n // m, -(-(p + 1) * n // m)) for p in range(m)]
            for n, m in zip(images.shape[1:-1], self.output_size, strict=True)
        ]
        for place in itertools.product(*map(range, self.output_size)):
            window = [slices[p] for slices, p in zip(windows, place, strict=True)]
            at: Any = (slice(None), *place)
            outputs[at] = self.pool(images[(slice(None), *window)])
        return np.moveaxis(outputs, -1, 1) if first else outputs

    def pool(self, window: Array) -> Array:
        """Reduce windows `(N, *sizes, C)` to one value per channel."""
        raise NotImplementedError


class _AdaptiveMaxPooling(_AdaptivePooling):
    """The largest element of each window."""

    def pool(self, window: Array) -> Array:
        """Take the maximum."""
        return window.max(axis=tuple(range(1, window.ndim - 1)))


class _AdaptiveAveragePooling(_AdaptivePooling):
    """The mean of each window."""

    def pool(self, window: Array) -> Array:
        """Take the mean."""
        return window.mean(axis=tuple(range(1, window.ndim - 1)))


class AdaptiveMaxPooling1D(_AdaptiveMaxPooling):
    """`y[p] = max of x[floor(p n / m) : ceil((p + 1) n / m)]`.

    Shapes: `(N, T, C)` to `(N, m, C)`. n is an axis's size and m the output's.

    Source: `keras.layers.AdaptiveMaxPooling1D` of Keras 3.

    Args:
        output_size: Sizes of the output's spatial axes, or one size for all.
        data_format: `"channels_last"` (the default) or `"channels_first"`.
    """

    rank = 1


class AdaptiveMaxPooling2D(_AdaptiveMaxPooling):
    """`y[p] = max of x[floor(p n / m) : ceil((p + 1) n / m)]`.

    Shapes: `(N, H, W, C)` to `(N, H', W', C)`. n is an axis's size and m the output's.

    Source: `keras.layers.AdaptiveMaxPooling2D` of Keras 3.

    The arguments are those of `AdaptiveMaxPooling1D`.
    """

    rank = 2


class AdaptiveMaxPooling3D(_AdaptiveMaxPooling):
    """`y[p] = max of x[floor(p n / m) : ceil((p + 1) n / m)]`.

    Shapes: `(N, D, H, W, C)` to `(N, D', H', W', C)`. n is an axis's size and m the output's.

    Source: `keras.layers.AdaptiveMaxPooling3D` of Keras 3.

    The arguments are those of `AdaptiveMaxPooling1D`.
    """

    rank = 3


class AdaptiveAveragePooling1D(_AdaptiveAveragePooling):
    """`y[p] = mean of x[floor(p n / m) : ceil((p + 1) n / m)]`.

    Shapes: `(N, T, C)` to `(N, m, C)`. n is an axis's size and m the output's.

    Source: `keras.layers.AdaptiveAveragePooling1D` of Keras 3.

    The arguments are those of `AdaptiveMaxPooling1D`.
    """

    rank = 1


class AdaptiveAveragePooling2D(_AdaptiveAveragePooling):
    """`y[p] = mean of x[floor(p n / m) : ceil((p + 1) n / m)]`.

    Shapes: `(N, H, W, C)` to `(N, H', W', C)`. n is an axis's size and m the output's.

    Source: `keras.layers.AdaptiveAveragePooling2D` of Keras 3.

    The arguments are those of `AdaptiveMaxPooling1D`.
    """

    rank = 2


class AdaptiveAveragePooling3D(_AdaptiveAveragePooling):
    """`y[p] = mean of x[floor(p n / m) : ceil((p + 1) n / m)]`.

    Shapes: `(N, D, H, W, C)` to `(N, D', H', W', C)`. n is an axis's size and m the output's.

    Source: `keras.layers.AdaptiveAveragePooling3D` of Keras 3.

    The arguments are those of `AdaptiveMaxPooling1D`.
    """

    rank = 3
