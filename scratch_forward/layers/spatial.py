"""Base class of convolution and pooling: windows, padding, data formats."""

from __future__ import annotations

import itertools
from collections.abc import Iterator, Sequence
from typing import Any

import numpy as np

from scratch_forward.errors import InvalidOption
from scratch_forward.layers.base import Array, Layer, Shape
from scratch_forward.layers.options import data_format_option, integers, one_of

Sizes = tuple[int, ...]


class SpatialLayer(Layer):
    """A layer that slides windows over the `rank` spatial axes of `(N, *spatial, C)`.

    Subclasses compute with the channels as the last axis. With `data_format="channels_first"`, the
    channels are moved there and back.

    Attributes:
        rank: Number of spatial axes.
        window: Size of the window along every spatial axis.
        strides: Step between windows.
        dilation_rate: Step between the elements of a window.
        padding: `"valid"`, `"same"` or, in some layers, `"causal"`.
    """

    large_chunks = True
    rank: int
    paddings: tuple[str, ...] = ("valid", "same")

    def __init__(
        self,
        window: Sizes,
        strides: Any,
        padding: str,
        data_format: str | None,
        dilation_rate: Any = 1,
        name: str | None = None,
    ) -> None:
        super().__init__(name)
        self.window = window
        self.strides = integers("strides", strides, self.rank)
        self.dilation_rate = integers("dilation_rate", dilation_rate, self.rank)
        lower = padding.lower() if isinstance(padding, str) else padding
        self.padding = one_of("padding", lower, self.paddings)
        self.data_format = data_format_option(data_format)

    def channels(self, input_shape: Shape) -> int:
        """Return the number of channels of an input.

        Raises:
            ValueError: If the input has a different number of axes.
        """
        self.expect_axes(input_shape, self.rank + 2)
        size = self.to_channels_last(input_shape)[-1]
        if size is None:
            raise ValueError(f"Layer {self.name!r} needs a known number of channels.")
        return size

    def to_channels_last(self, shape: Shape) -> Shape:
        """Return a shape with the channels moved to the end."""
        if self.data_format == "channels_last":
            return shape
        return (shape[0], *shape[2:], shape[1])

    def output_channels(self, input_channels: int) -> int:
        """Return the number of channels of the output."""
        return input_channels

    def compute_output_shape(self, input_shape: Shape) -> Shape:
        """Return `(N, *output sizes, channels)`, in the layer's data format."""
        channels = self.output_channels(self.channels(input_shape))
        sizes = tuple(
            None if size is None else self.output_size(axis, size)
            for axis, size in enumerate(self.to_channels_last(input_shape)[1:-1])
        )
        if self.data_format == "channels_first":
            return (input_shape[0], channels, *sizes)
        return (input_shape[0], *sizes, channels)

    def output_size(self, axis: int, size: int) -> int:
        """Return the number of windows along a spatial axis.

        Raises:
            ValueError: If no window fits.
        """
        before, after = self.pad_sizes(axis, size)
        extent = (self.window[axis] - 1) * self.dilation_rate[axis] + 1
        count = (size + before + after - extent) // self.strides[axis] + 1
        if count < 1:
            raise ValueError(
                f"Layer {self.name!r} slides a window of {extent} over an axis of {size}."
            )
        return count

    def pad_sizes(self, axis: int, size: int) -> tuple[int, int]:
        """Return the padding before and after a spatial axis of this size.

        With `"same"`, the output has `ceil(size / stride)` elements. The padding is split evenly,
        with an odd element after. With `"causal"`, all padding is before, so that no output depends
        on a later input.
        """
        reach = (self.window[axis] - 1) * self.dilation_rate[axis]
        if self.padding == "valid":
            return 0, 0
        if self.padding == "causal":
            return reach, 0
        stride = self.strides[axis]
        total = max((-(-size // stride) - 1) * stride + reach + 1 - size, 0)
        return total // 2, total - total // 2

    def pad(self, inputs: Array, value: float = 0.0) -> Array:
        """Pad the spatial axes of a channels-last batch with a constant."""
        sizes = [self.pad_sizes(axis, size) for axis, size in enumerate(inputs.shape[1:-1])]
        if not any(map(any, sizes)):
            return inputs
        return np.pad(inputs, [(0, 0), *sizes, (0, 0)], constant_values=value)

    def taps(self, padded: Array) -> Iterator[tuple[Sizes, Array]]:
        """Yield every position in the window, with the input of all windows at this position.

        Args:
            padded: Padded batch `(N, *spatial, C)`.

        Yields:
            The position, and a view `(N, *output sizes, C)` of `padded`.
        """
        counts = [
            (size - (window - 1) * dilation - 1) // stride + 1
            for size, window, dilation, stride in zip(
                padded.shape[1:-1], self.window, self.dilation_rate, self.strides, strict=True
            )
        ]
        for position in itertools.product(*map(range, self.window)):
            starts = [i * d for i, d in zip(position, self.dilation_rate, strict=True)]
            yield position, padded[(slice(None), *_steps(starts, counts, self.strides))]

    def call(self, inputs: Array) -> Array:
        """Slide the windows, with the channels as the last axis."""
        self.compute_output_shape(inputs.shape)  # raises an error if a window does not fit
        if self.data_format == "channels_last":
            return self.slide(inputs)
        return np.moveaxis(self.slide(np.moveaxis(inputs, 1, -1)), -1, 1)

    def slide(self, inputs: Array) -> Array:
        """Compute the outputs of a channels-last batch."""
        raise NotImplementedError


def _steps(starts: Sequence[int], counts: Sequence[int], strides: Sizes) -> list[slice]:
    """Return slices of `counts` elements from `starts`, with steps of `strides`."""
    return [
        slice(start, start + (count - 1) * stride + 1, stride)
        for start, count, stride in zip(starts, counts, strides, strict=True)
    ]


def refuse_strided_dilation(strides: Sizes, dilation_rate: Sizes) -> None:
    """Refuse the combination of strides and dilation, as Keras does.

    Raises:
        InvalidOption: If both are greater than 1.
    """
    if max(strides) > 1 and max(dilation_rate) > 1:
        raise InvalidOption("dilation_rate", dilation_rate, "1 where strides are above 1")
