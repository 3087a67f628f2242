"""Upsampling: repeated elements, or images resized by an integer factor."""

from __future__ import annotations

from typing import Any

import numpy as np

from scratch_forward.layers.base import Array, Layer, Shape
from scratch_forward.layers.interpolation import INTERPOLATIONS, resize
from scratch_forward.layers.options import data_format_option, integers, one_of, positive


class _UpSampling(Layer):
    """Repetition of each element along the spatial axes."""

    size: tuple[int, ...]
    data_format: str

    def _first_axis(self) -> int:
        """Return the first spatial axis."""
        return 2 if self.data_format == "channels_first" else 1

    def compute_output_shape(self, input_shape: Shape) -> Shape:
        """Return the shape with the spatial sizes multiplied.

        Raises:
            ValueError: If the input has a different number of axes.
        """
        self.expect_axes(input_shape, len(self.size) + 2)
        sizes = list(input_shape)
        for axis, factor in enumerate(self.size, start=self._first_axis()):
            size = sizes[axis]
            sizes[axis] = None if size is None else size * factor
        return tuple(sizes)

    def call(self, inputs: Array) -> Array:
        """Repeat along each spatial axis."""
        self.compute_output_shape(inputs.shape)
        for axis, factor in enumerate(self.size, start=self._first_axis()):
            inputs = np.repeat(inputs, factor, axis=axis)
        return inputs


class UpSampling1D(_UpSampling):
    """`y[t] = x[t // size]`, `(N, T, C)` to `(N, size * T, C)`.

    Source: `keras.layers.UpSampling1D` of Keras 3.

    Args:
        size: Number of repetitions of each step.
    """

    data_format = "channels_last"

    def __init__(self, size: int = 2, name: str | None = None) -> None:
        super().__init__(name)
        self.size = (positive("size", size),)


class UpSampling2D(_UpSampling):
    """Images resized by an integer factor, `(N, H, W, C)` to `(N, size * H, size * W, C)`.

    With `interpolation="nearest"`, `y[i, j] = x[i // size, j // size]`. The others are those of
    TensorFlow's `resize` with aligned pixel centers. See `interpolation`.

    Source: `keras.layers.UpSampling2D` of Keras 3.

    Args:
        size: Factor for height and width, one integer or two.
        data_format: `"channels_last"` (the default) or `"channels_first"`.
        interpolation: `"nearest"`, `"bilinear"`, `"bicubic"`, `"lanczos3"` or `"lanczos5"`.
    """

    def __init__(
        self,
        size: Any = (2, 2),
        data_format: str | None = None,
        interpolation: str = "nearest",
        name: str | None = None,
    ) -> None:
        super().__init__(name)
        self.size = integers("size", size, 2)
        self.data_format = data_format_option(data_format)
        lower = interpolation.lower() if isinstance(interpolation, str) else interpolation
        self.interpolation = one_of("interpolation", lower, INTERPOLATIONS)

    def call(self, inputs: Array) -> Array:
        """Repeat, or resize."""
        if self.interpolation == "nearest":
            return super().call(inputs)
        self.compute_output_shape(inputs.shape)
        first = self.data_format == "channels_first"
        images = np.moveaxis(inputs, 1, -1) if first else inputs
        height, width = (a * b for a, b in zip(images.shape[1:3], self.size, strict=True))
        resized = resize(images, (height, width), self.interpolation)
        return np.moveaxis(resized, -1, 1) if first else resized


class UpSampling3D(_UpSampling):
    """`y[i, j, k] = x[i // s, j // s, k // s]`, `(N, D, H, W, C)` to `(N, s D, s H, s W, C)`.

    Source: `keras.layers.UpSampling3D` of Keras 3.

    Args:
        size: Factor s for each axis, one integer or three.
        data_format: `"channels_last"` (the default) or `"channels_first"`.
    """

    def __init__(
        self, size: Any = (2, 2, 2), data_format: str | None = None, name: str | None = None
    ) -> None:
        super().__init__(name)
        self.size = integers("size", size, 3)
        self.data_format = data_format_option(data_format)
