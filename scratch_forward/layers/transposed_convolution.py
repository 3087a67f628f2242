"""Transposed convolutions, which spread each input element over a window of the output.

A convolution from the output's size to the input's size is a multiplication by a matrix. A
transposed convolution multiplies by the transpose of this matrix (arXiv:1603.07285). As in Keras,
the mask is dropped.
"""

from __future__ import annotations

import itertools
from typing import Any

import numpy as np

from scratch_forward.activations import Activation as ActivationFunction
from scratch_forward.errors import InvalidOption
from scratch_forward.layers.base import Array, Shape
from scratch_forward.layers.convolution import Convolution
from scratch_forward.layers.options import integers, positive
from scratch_forward.layers.spatial import Sizes, refuse_strided_dilation


class _ConvTranspose(Convolution):
    """`y[strides * p + rate * i - before] += x[p] @ kernel[i].T`, then bias, activation."""

    def __init__(
        self,
        filters: int,
        kernel_size: Any,
        strides: Any = 1,
        padding: str = "valid",
        output_padding: Any = None,
        data_format: str | None = None,
        dilation_rate: Any = 1,
        activation: str | ActivationFunction | None = None,
        use_bias: bool = True,
        name: str | None = None,
    ) -> None:
        super().__init__(
            kernel_size, strides, padding, data_format, dilation_rate, activation, use_bias, name
        )
        refuse_strided_dilation(self.strides, self.dilation_rate)
        self.filters = positive("filters", filters)
        self.output_padding: Sizes | None = None
        if output_padding is not None:
            self.output_padding = integers("output_padding", output_padding, self.rank, least=0)
            if any(map(int.__ge__, self.output_padding, self.strides)):
                raise InvalidOption("output_padding", output_padding, f"less than {self.strides=}")

    def weight_shapes(self, input_shape: Shape) -> dict[str, Any]:
        """Return the shapes of the kernel and the bias."""
        kernel = (*self.window, self.filters, self.channels(input_shape))
        return {"kernel": kernel} | ({"bias": (self.filters,)} if self.use_bias else {})

    def output_channels(self, input_channels: int) -> int:
        """Return `filters`."""
        return self.filters

    def output_size(self, axis: int, size: int) -> int:
        """Return the size of the output along a spatial axis.

        Raises:
            ValueError: If no convolution maps an axis of that size to the size of the input.
        """
        stride, extent = self.strides[axis], self.extent(axis)
        more = None if self.output_padding is None else self.output_padding[axis]
        if self.padding == "valid":
            return (
                (size - 1) * stride + extent + (max(stride - extent, 0) if more is None else more)
            )
        if more is None:
            return size * stride
        output = (size - 1) * stride + extent % 2 + more
        if -(-output // stride) != size:
            raise ValueError(
                f"Layer {self.name!r} has output_padding={more}, with which its output would have "
                f"{output} elements: too few for an input of {size} at strides of {stride}."
            )
        return output

    def extent(self, axis: int) -> int:
        """Return the number of elements of an axis that a window spans."""
        return (self.window[axis] - 1) * self.dilation_rate[axis] + 1

    def slide(self, inputs: Array) -> Array:
        """Add each input times the kernel at the position of its window, then remove padding."""
        sizes = inputs.shape[1:-1]
        outputs = [self.output_size(axis, size) for axis, size in enumerate(sizes)]
        spread = self._spread(inputs)
        for axis, (size, output) in enumerate(zip(sizes, outputs, strict=True)):
            before = self._cut_before(axis, size, output)
            spread = _window(spread, axis + 1, before, output)
        return self.with_bias(spread)

    def _spread(self, inputs: Array) -> Array:
        """Add each input times the kernel at the position of its window."""
        sizes = inputs.shape[1:-1]
        full = [
            (size - 1) * stride + self.extent(axis)
            for axis, (size, stride) in enumerate(zip(sizes, self.strides, strict=True))
        ]
        total = np.zeros((len(inputs), *full, self.filters), self.dtype)
        for position in itertools.product(*map(range, self.window)):
            places = [
                slice(i * rate, i * rate + (size - 1) * stride + 1, stride)
                for i, rate, size, stride in zip(
                    position, self.dilation_rate, sizes, self.strides, strict=True
                )
            ]
            total[(slice(None), *places)] += inputs @ self.weights["kernel"][position].T
        return total

    def _cut_before(self, axis: int, size: int, output: int) -> int:
        """Return the padding at the start of the convolution that this layer transposes."""
        if self.padding == "valid":
            return 0
        return max((size - 1) * self.strides[axis] + self.extent(axis) - output, 0) // 2


def _window(array: Array, axis: int, start: int, size: int) -> Array:
    """Return `size` elements of an axis from `start`, with zeros past the end of the array."""
    cut = array[(slice(None),) * axis + (slice(start, start + size),)]
    missing = size - cut.shape[axis]
    if not missing:
        return cut
    return np.pad(cut, [(0, missing if i == axis else 0) for i in range(array.ndim)])


class Conv1DTranspose(_ConvTranspose):
    """`y[strides * p + dilation_rate * i - before] += x[p] @ kernel[i].T`, then bias, activation.

    Shapes: `(N, T, C)` to `(N, T', filters)`; kernel `(k, filters, C)`, bias `(filters,)`. An axis
    of n elements becomes `n * strides` with padding `"same"`, and
    `n * strides + max(k - strides, 0)` with `"valid"`, k being the window's extent.

    Source: arXiv:1603.07285.

    Args:
        filters: Number of output channels.
        kernel_size: Size of the window.
        strides: Step between windows in the output.
        padding: `"valid"` or `"same"`.
        output_padding: Additional elements at the end of the output, fewer than `strides`.
        data_format: `"channels_last"` (the default) or `"channels_first"`.
        dilation_rate: Step between the elements of a window. Must be 1 if `strides` is not 1.
        activation: A name, a function, or an activation layer without weights.
        use_bias: Whether to add a bias.
    """

    rank = 1


class Conv2DTranspose(_ConvTranspose):
    """`y[strides * p + dilation_rate * i - before] += x[p] @ kernel[i].T`, then bias, activation.

    Shapes: `(N, H, W, C)` to `(N, H', W', filters)`; kernel `(kh, kw, filters, C)`, bias
    `(filters,)`. An axis of n elements becomes `n * strides` with padding `"same"`, and
    `n * strides + max(k - strides, 0)` with `"valid"`, k being the window's extent.

    Source: arXiv:1603.07285.

    Arguments that are not listed are those of `Conv1DTranspose`.

    Args:
        kernel_size: Size of the window: an integer or (height, width).
        strides: Step between windows in the output: one integer or two.
    """

    rank = 2


class Conv3DTranspose(_ConvTranspose):
    """`y[strides * p + dilation_rate * i - before] += x[p] @ kernel[i].T`, then bias, activation.

    Shapes: `(N, D, H, W, C)` to `(N, D', H', W', filters)`; kernel `(kd, kh, kw, filters, C)`, bias
    `(filters,)`. An axis of n elements becomes `n * strides` with padding `"same"`, and
    `n * strides + max(k - strides, 0)` with `"valid"`, k being the window's extent.

    Source: arXiv:1603.07285.

    Arguments that are not listed are those of `Conv1DTranspose`.

    Args:
        kernel_size: Size of the window: an integer or (depth, height, width).
        strides: Step between windows in the output: one integer or three.
    """

    rank = 3
