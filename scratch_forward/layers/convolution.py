"""Convolution layers: ordinary, depthwise and separable. They do not pass a mask on.

All compute cross-correlations, without flipping the kernel.
"""

from __future__ import annotations

from typing import Any

import numpy as np

from scratch_forward.activations import Activation as ActivationFunction
from scratch_forward.errors import InvalidOption
from scratch_forward.layers.base import Array, Shape
from scratch_forward.layers.options import activation_option, boolean, integers, positive
from scratch_forward.layers.spatial import Sizes, SpatialLayer, refuse_strided_dilation


class Convolution(SpatialLayer):
    """Base class of all convolutions: bias and activation."""

    def __init__(
        self,
        kernel_size: Any,
        strides: Any,
        padding: str,
        data_format: str | None,
        dilation_rate: Any,
        activation: str | ActivationFunction | None,
        use_bias: bool,
        name: str | None,
    ) -> None:
        window = integers("kernel_size", kernel_size, self.rank)
        super().__init__(window, strides, padding, data_format, dilation_rate, name)
        self.activation = activation_option("activation", activation)
        self.use_bias = boolean("use_bias", use_bias)

    def call(self, inputs: Array) -> Array:
        """Convolve, then apply the activation in the layer's data format."""
        return self.activation(super().call(inputs))

    def with_bias(self, outputs: Array) -> Array:
        """Add the bias, if there is one, to channels-last outputs."""
        if self.use_bias:
            outputs += self.weights["bias"]
        return outputs

    def multiply_windows(self, padded: Array, kernel: Array) -> Array:
        """Sum, over window positions, the product of the input and the kernel matrix there."""
        total = None
        for position, seen in self.taps(padded):
            product = np.tensordot(seen, kernel[position], axes=1)
            total = product if total is None else np.add(total, product, out=total)
        assert total is not None  # a window has at least one position
        return total

    def scale_windows(self, padded: Array, kernel: Array) -> Array:
        """Sum, over window positions, each channel times its own `depth_multiplier` values."""
        total = None
        for position, seen in self.taps(padded):
            product = seen[..., None] * kernel[position]
            total = product if total is None else np.add(total, product, out=total)
        assert total is not None  # a window has at least one position
        return total.reshape(*total.shape[:-2], -1)


class _Conv(Convolution):
    """`y[p] = activation(sum over i of x[strides * p + dilation_rate * i] @ kernel[i] + bias)`."""

    def __init__(
        self,
        filters: int,
        kernel_size: Any,
        strides: Any = 1,
        padding: str = "valid",
        data_format: str | None = None,
        dilation_rate: Any = 1,
        groups: int = 1,
        activation: str | ActivationFunction | None = None,
        use_bias: bool = True,
        name: str | None = None,
    ) -> None:
        super().__init__(
            kernel_size, strides, padding, data_format, dilation_rate, activation, use_bias, name
        )
        refuse_strided_dilation(self.strides, self.dilation_rate)
        self.filters = positive("filters", filters)
        self.groups = positive("groups", groups)
        if self.filters % self.groups:
            raise InvalidOption("groups", groups, f"a divisor of filters={filters}")

    def weight_shapes(self, input_shape: Shape) -> dict[str, Any]:
        """Return the shapes of the kernel and the bias."""
        channels = self.channels(input_shape)
        if channels % self.groups:
            raise ValueError(
                f"Layer {self.name!r} splits {channels} channels into {self.groups} groups, which "
                "is not even."
            )
        kernel = (*self.window, channels // self.groups, self.filters)
        return {"kernel": kernel} | ({"bias": (self.filters,)} if self.use_bias else {})

    def output_channels(self, input_channels: int) -> int:
        """Return `filters`."""
        return self.filters

    def slide(self, inputs: Array) -> Array:
        """Convolve each group of channels with its share of the filters."""
        padded = self.pad(inputs)
        pairs = zip(
            np.split(padded, self.groups, axis=-1),
            np.split(self.weights["kernel"], self.groups, axis=-1),
            strict=True,
        )
        parts = [self.multiply_windows(channels, kernel) for channels, kernel in pairs]
        return self.with_bias(parts[0] if len(parts) == 1 else np.concatenate(parts, axis=-1))


class Conv1D(_Conv):
    """`y[p] = activation(sum over i of x[strides * p + dilation_rate * i] @ kernel[i] + bias)`.

    Shapes: `(N, T, C)` to `(N, T', filters)`; kernel `(k, C / groups, filters)`, bias `(filters,)`.
    Groups consist of consecutive channels. As in Keras, the mask is dropped.

    Source: `keras.layers.Conv1D` of Keras 3.

    Args:
        filters: Number of output channels.
        kernel_size: Size of the window.
        strides: Step between windows.
        padding: `"valid"`; `"same"` for `ceil(T / strides)` outputs; `"causal"`, with all zeros
            before.
        data_format: `"channels_last"` (the default) or `"channels_first"`.
        dilation_rate: Step between the elements of a window. Must be 1 if `strides` is not 1.
        groups: Number of groups into which channels and filters are split.
        activation: A name, a function, or an activation layer without weights.
        use_bias: Whether to add a bias.
    """

    rank = 1
    paddings = ("valid", "same", "causal")


class Conv2D(_Conv):
    """`y[p] = activation(sum over i of x[strides * p + dilation_rate * i] @ kernel[i] + bias)`.

    Shapes: `(N, H, W, C)` to `(N, H', W', filters)`; kernel `(kh, kw, C / groups, filters)`, bias
    `(filters,)`. Groups consist of consecutive channels. As in Keras, the mask is dropped.

    Source: `keras.layers.Conv2D` of Keras 3.

    Arguments that are not listed are those of `Conv1D`.

    Args:
        kernel_size: Size of the window: an integer or (height, width).
        strides: Step between windows: one integer or two.
        padding: `"valid"`, or `"same"` for `ceil(H / strides)` outputs, with an odd zero after.
    """

    rank = 2


class Conv3D(_Conv):
    """`y[p] = activation(sum over i of x[strides * p + dilation_rate * i] @ kernel[i] + bias)`.

    Shapes: `(N, D, H, W, C)` to `(N, D', H', W', filters)`; kernel
    `(kd, kh, kw, C / groups, filters)`, bias `(filters,)`. Groups consist of consecutive channels.
    As in Keras, the mask is dropped.

    Source: `keras.layers.Conv3D` of Keras 3.

    Arguments that are not listed are those of `Conv1D`.

    Args:
        kernel_size: Size of the window: an integer or (depth, height, width).
        strides: Step between windows: one integer or three.
        padding: `"valid"`, or `"same"` for `ceil(D / strides)` outputs, with an odd zero after.
    """

    rank = 3


class _DepthwiseConv(Convolution):
    """`y[p, c, m] = activation(sum over i of x[s * p + rate * i, c] * kernel[i, c, m] + b)`."""

    def __init__(
        self,
        kernel_size: Any,
        strides: Any = 1,
        padding: str = "valid",
        depth_multiplier: int = 1,
        data_format: str | None = None,
        dilation_rate: Any = 1,
        activation: str | ActivationFunction | None = None,
        use_bias: bool = True,
        name: str | None = None,
    ) -> None:
        super().__init__(
            kernel_size, strides, padding, data_format, dilation_rate, activation, use_bias, name
        )
        self.depth_multiplier = positive("depth_multiplier", depth_multiplier)

    def weight_shapes(self, input_shape: Shape) -> dict[str, Any]:
        """Return the shapes of the kernel and the bias."""
        channels = self.channels(input_shape)
        kernel: Sizes = (*self.window, channels, self.depth_multiplier)
        bias = {"bias": (self.output_channels(channels),)} if self.use_bias else {}
        return {"kernel": kernel} | bias

    def output_channels(self, input_channels: int) -> int:
        """Return the input's channels times `depth_multiplier`."""
        return input_channels * self.depth_multiplier

    def slide(self, inputs: Array) -> Array:
        """Convolve every channel separately."""
        return self.with_bias(self.scale_windows(self.pad(inputs), self.weights["kernel"]))


class DepthwiseConv1D(_DepthwiseConv):
    """`y[p, c, m] = activation(sum over i of x[strides * p + rate * i, c] * kernel[i, c, m] + b)`.

    Shapes: `(N, T, C)` to `(N, T', C * depth_multiplier)`, the outputs of a channel next to each
    other; kernel `(k, C, depth_multiplier)`, bias `(C * depth_multiplier,)`.

    Source: arXiv:1704.04861.

    Args:
        kernel_size: Size of the window.
        strides: Step between windows.
        padding: `"valid"` or `"same"`.
        depth_multiplier: Number of outputs per channel.
        data_format: `"channels_last"` (the default) or `"channels_first"`.
        dilation_rate: Step between the elements of a window.
        activation: A name, a function, or an activation layer without weights.
        use_bias: Whether to add a bias.
    """

    rank = 1


class DepthwiseConv2D(_DepthwiseConv):
    """`y[p, c, m] = activation(sum over i of x[strides * p + rate * i, c] * kernel[i, c, m] + b)`.

    Shapes: `(N, H, W, C)` to `(N, H', W', C * depth_multiplier)`, the outputs of a channel next to
    each other; kernel `(kh, kw, C, depth_multiplier)`, bias `(C * depth_multiplier,)`.

    Source: arXiv:1704.04861.

    Arguments that are not listed are those of `DepthwiseConv1D`.

    Args:
        kernel_size: Size of the window: an integer or (height, width).
        strides: Step between windows: one integer or two.
    """

    rank = 2


class _SeparableConv(Convolution):
    """A depthwise convolution without bias, followed by a pointwise convolution."""

    def __init__(
        self,
        filters: int,
        kernel_size: Any,
        strides: Any = 1,
        padding: str = "valid",
        data_format: str | None = None,
        dilation_rate: Any = 1,
        depth_multiplier: int = 1,
        activation: str | ActivationFunction | None = None,
        use_bias: bool = True,
        name: str | None = None,
    ) -> None:
        super().__init__(
            kernel_size, strides, padding, data_format, dilation_rate, activation, use_bias, name
        )
        self.filters = positive("filters", filters)
        self.depth_multiplier = positive("depth_multiplier", depth_multiplier)

    def weight_shapes(self, input_shape: Shape) -> dict[str, Any]:
        """Return the shapes of both kernels and the bias."""
        channels = self.channels(input_shape)
        return {
            "depthwise_kernel": (*self.window, channels, self.depth_multiplier),
            "pointwise_kernel": (*[1] * self.rank, channels * self.depth_multiplier, self.filters),
        } | ({"bias": (self.filters,)} if self.use_bias else {})

    def output_channels(self, input_channels: int) -> int:
        """Return `filters`."""
        return self.filters

    def slide(self, inputs: Array) -> Array:
        """Convolve every channel separately, then apply the pointwise convolution."""
        depthwise = self.scale_windows(self.pad(inputs), self.weights["depthwise_kernel"])
        pointwise = self.weights["pointwise_kernel"][(0,) * self.rank]
        return self.with_bias(np.tensordot(depthwise, pointwise, 1))


class SeparableConv1D(_SeparableConv):
    """A depthwise convolution without bias, followed by a pointwise convolution (arXiv:1610.02357).

    Shapes: `(N, T, C)` to `(N, T', filters)`; depthwise kernel `(k, C, depth_multiplier)`,
    pointwise kernel `(1, C * depth_multiplier, filters)`, bias `(filters,)`.

    Args:
        filters: Number of output channels.
        kernel_size: Size of the window.
        strides: Step between windows.
        padding: `"valid"` or `"same"`.
        data_format: `"channels_last"` (the default) or `"channels_first"`.
        dilation_rate: Step between the elements of a window.
        depth_multiplier: Number of depthwise outputs per channel.
        activation: A name, a function, or an activation layer without weights.
        use_bias: Whether to add a bias.
    """

    rank = 1


class SeparableConv2D(_SeparableConv):
    """A depthwise convolution without bias, followed by a 1x1 convolution (arXiv:1610.02357).

    Shapes: `(N, H, W, C)` to `(N, H', W', filters)`; depthwise kernel
    `(kh, kw, C, depth_multiplier)`, pointwise kernel `(1, 1, C * depth_multiplier, filters)`, bias
    `(filters,)`.

    Arguments that are not listed are those of `SeparableConv1D`.

    Args:
        kernel_size: Size of the window: an integer or (height, width).
        strides: Step between windows: one integer or two.
    """

    rank = 2
