"""Pooling over windows, and over all time steps or pixels."""

from __future__ import annotations

from typing import Any

import numpy as np

from scratch_forward.layers.base import Array, Generator, Layer, Shape
from scratch_forward.layers.options import boolean, data_format_option, integers
from scratch_forward.layers.spatial import SpatialLayer


class _Pooling(SpatialLayer):
    """Base class of pooling over windows of each channel."""

    def __init__(
        self,
        pool_size: Any,
        strides: Any = None,
        padding: str = "valid",
        data_format: str | None = None,
        name: str | None = None,
    ) -> None:
        window = integers("pool_size", pool_size, self.rank)
        steps = window if strides is None else strides
        super().__init__(window, steps, padding, data_format, name=name)


class _MaxPooling(_Pooling):
    """The maximum of each window. Padding is never the maximum."""

    def __init__(
        self,
        pool_size: Any = 2,
        strides: Any = None,
        padding: str = "valid",
        data_format: str | None = None,
        name: str | None = None,
    ) -> None:
        super().__init__(pool_size, strides, padding, data_format, name)

    def slide(self, inputs: Array) -> Array:
        """Compute the maximum over the positions of the window."""
        taps = self.taps(self.pad(inputs, value=-np.inf))
        largest = next(taps)[1].copy()
        for _, seen in taps:
            np.maximum(largest, seen, out=largest)
        return largest


class _AveragePooling(_Pooling):
    """The mean of each window. Padding is not counted."""

    def slide(self, inputs: Array) -> Array:
        """Divide the sum over the window by the number of its elements that are not padding."""
        ones = np.ones((1, *inputs.shape[1:-1], 1), inputs.dtype)
        return self._sum(self.pad(inputs)) / self._sum(self.pad(ones))

    def _sum(self, padded: Array) -> Array:
        """Compute the sum over the positions of the window."""
        taps = self.taps(padded)
        total = next(taps)[1].copy()
        for _, seen in taps:
            total += seen
        return total


class MaxPooling1D(_MaxPooling):
    """`y[p] = max over i of x[strides * p + i]`, `(N, T, C)` to `(N, T', C)`.

    With `padding="same"`, the padding is minus infinity. As in Keras, the mask is dropped.

    Source: `keras.layers.MaxPooling1D` of Keras 3.

    Args:
        pool_size: Size of the window.
        strides: Step between windows. Defaults to the size of the window.
        padding: `"valid"` or `"same"`.
        data_format: `"channels_last"` (the default) or `"channels_first"`.
    """

    rank = 1


class MaxPooling2D(_MaxPooling):
    """`y[p] = max over i of x[strides * p + i]`, `(N, H, W, C)` to `(N, H', W', C)`.

    With `padding="same"`, the padding is minus infinity.

    Source: `keras.layers.MaxPooling2D` of Keras 3.

    Arguments that are not listed are those of `MaxPooling1D`.

    Args:
        pool_size: Size of the window: an integer or (height, width).
    """

    rank = 2


class AveragePooling1D(_AveragePooling):
    """`y[p] = mean over i of x[strides * p + i]`, `(N, T, C)` to `(N, T', C)`.

    With `padding="same"`, the mean excludes padding. As in Keras, the mask is dropped.

    Source: `keras.layers.AveragePooling1D` of Keras 3.

    The arguments are those of `MaxPooling1D`.
    """

    rank = 1


class AveragePooling2D(_AveragePooling):
    """`y[p] = mean over i of x[strides * p + i]`, `(N, H, W, C)` to `(N, H', W', C)`.

    With `padding="same"`, the mean excludes padding.

    Source: `keras.layers.AveragePooling2D` of Keras 3.

    Arguments that are not listed are those of `MaxPooling1D`.

    Args:
        pool_size: Size of the window: an integer or (height, width).
    """

    rank = 2


class MaxPooling3D(_MaxPooling):
    """`y[p] = max over i of x[strides * p + i]`, `(N, D, H, W, C)` to `(N, D', H', W', C)`.

    With `padding="same"`, the padding is minus infinity.

    Source: `keras.layers.MaxPooling3D` of Keras 3.

    Arguments that are not listed are those of `MaxPooling1D`.

    Args:
        pool_size: Size of the window: an integer or (depth, height, width).
    """

    rank = 3


class AveragePooling3D(_AveragePooling):
    """`y[p] = mean over i of x[strides * p + i]`, `(N, D, H, W, C)` to `(N, D', H', W', C)`.

    With `padding="same"`, the mean excludes padding.

    Source: `keras.layers.AveragePooling3D` of Keras 3.

    Arguments that are not listed are those of `MaxPooling1D`.

    Args:
        pool_size: Size of the window: an integer or (depth, height, width).
    """

    rank = 3


class _GlobalPooling(Layer):
    """Base class of pooling to one value per channel."""

    rank: int

    def __init__(
        self, data_format: str | None = None, keepdims: bool = False, name: str | None = None
    ) -> None:
        super().__init__(name)
        self.data_format = data_format_option(data_format)
        self.keepdims = boolean("keepdims", keepdims)

    @property
    def axes(self) -> tuple[int, ...]:
        """The pooled axes."""
        first = 1 if self.data_format == "channels_last" else 2
        return tuple(range(first, first + self.rank))

    def compute_output_shape(self, input_shape: Shape) -> Shape:
        """Return the shape without the pooled axes, or with size 1 for each.

        Raises:
            ValueError: If the input has a different number of axes.
        """
        self.expect_axes(input_shape, self.rank + 2)
        if self.keepdims:
            return tuple(1 if i in self.axes else size for i, size in enumerate(input_shape))
        return tuple(size for i, size in enumerate(input_shape) if i not in self.axes)


class _GlobalMaxPooling(_GlobalPooling):
    """The maximum of each channel."""

    def call(self, inputs: Array) -> Array:
        """Compute the maximum over time or space."""
        return inputs.max(axis=self.axes, keepdims=self.keepdims)


class _GlobalAveragePooling(_GlobalPooling):
    """The mean of each channel."""

    def call(self, inputs: Array) -> Array:
        """Compute the mean over time or space."""
        return inputs.mean(axis=self.axes, keepdims=self.keepdims)


class GlobalMaxPooling1D(_GlobalMaxPooling):
    """`(N, T, C)` to `(N, C)`: the maximum of each channel. As in Keras, the mask is ignored.

    Source: `keras.layers.GlobalMaxPooling1D` of Keras 3.

    Args:
        data_format: `"channels_last"` (the default) or `"channels_first"`.
        keepdims: Whether to keep the pooled axes with size 1.
    """

    rank = 1


class GlobalMaxPooling2D(_GlobalMaxPooling):
    """`(N, H, W, C)` to `(N, C)`: the maximum of each channel.

    Source: `keras.layers.GlobalMaxPooling2D` of Keras 3.

    The arguments are those of `GlobalMaxPooling1D`.
    """

    rank = 2


class GlobalAveragePooling1D(_GlobalAveragePooling):
    """`(N, T, C)` to `(N, C)`: the mean of each channel over the steps that the mask keeps.

    As in Keras, an example without any such step gives NaN. The mask is dropped.

    Source: arXiv:1312.4400.

    The arguments are those of `GlobalMaxPooling1D`.
    """

    rank = 1
    supports_masking = True

    def apply(self, inputs: Array, mask: Any, _generator: Generator | None, /, **_: Any) -> Array:
        """Compute the mean over time, of the steps that the mask keeps."""
        if mask is None:
            return self.call(inputs)
        kept = np.expand_dims(np.asarray(mask, bool), 2 if self.axes == (1,) else 1)
        total = np.where(kept, inputs, 0).sum(axis=self.axes, keepdims=self.keepdims)
        count = kept.sum(axis=self.axes, keepdims=self.keepdims, dtype=inputs.dtype)
        with np.errstate(invalid="ignore"):
            return total / count

    def compute_mask(self, _inputs: Any, _mask: Any) -> None:
        """Return None, since the output has no time axis."""
        return


class GlobalAveragePooling2D(_GlobalAveragePooling):
    """`(N, H, W, C)` to `(N, C)`: the mean of each channel (arXiv:1312.4400).

    The arguments are those of `GlobalMaxPooling1D`.
    """

    rank = 2


class GlobalMaxPooling3D(_GlobalMaxPooling):
    """`(N, D, H, W, C)` to `(N, C)`: the maximum of each channel.

    Source: `keras.layers.GlobalMaxPooling3D` of Keras 3.

    The arguments are those of `GlobalMaxPooling1D`.
    """

    rank = 3


class GlobalAveragePooling3D(_GlobalAveragePooling):
    """`(N, D, H, W, C)` to `(N, C)`: the mean of each channel.

    Source: arXiv:1312.4400.

    The arguments are those of `GlobalMaxPooling1D`.
    """

    rank = 3
