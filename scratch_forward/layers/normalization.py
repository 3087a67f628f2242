"""Normalization over the batch, over an example, or by constants."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np

from scratch_forward.errors import InvalidOption
from scratch_forward.layers.base import Array, Generator, Layer, Shape
from scratch_forward.layers.options import boolean, number, positive

_LEAST_NORM = 1e-12  # Keras divides by this instead of a smaller norm
_LARGEST = 1e30  # variance that is computed in float32, and the inverse of the smallest
_EPSILON = 1e-7  # Keras's epsilon, which keeps Normalization from dividing by zero


class BatchNormalization(Layer):
    """`y = gamma * (x - mean) / sqrt(variance + epsilon) + beta`, per channel (arXiv:1502.03167).

    At inference, mean and variance are the stored moving averages, and the layer computes
    `x * inv + (beta - mean * inv)` with `inv = gamma / sqrt(variance + epsilon)`. In training, they
    are those of the batch, over the time steps that a mask keeps. The moving averages are not
    updated, since a call does not change weights. The mask is passed through.

    Shapes: `(N, ...)` to `(N, ...)`; gamma, beta, mean and variance `(channels,)`.

    Args:
        axis: Axis of the channels.
        momentum: Ignored. Updates the moving averages in training.
        epsilon: Added to the variance.
        center: Whether to add `beta`.
        scale: Whether to multiply by `gamma`.
        renorm: Whether training used batch renormalization (arXiv:1702.03275). There are then three
            more weights, which are not used at inference.
        renorm_clipping: Ignored. Used in training only.
        renorm_momentum: Ignored. Used in training only.
        synchronized: Ignored. Used in training on several devices.
    """

    supports_masking = True
    call_arguments = ("inputs", "training", "mask")

    def __init__(
        self,
        axis: int = -1,
        momentum: float = 0.99,
        epsilon: float = 1e-3,
        center: bool = True,
        scale: bool = True,
        renorm: bool = False,
        renorm_clipping: Any = None,
        renorm_momentum: float = 0.99,
        synchronized: bool = False,
        name: str | None = None,
    ) -> None:
        super().__init__(name)
        self.axis = _axis("axis", axis)
        self.epsilon = number("epsilon", epsilon, 0)
        self.center = boolean("center", center)
        self.scale = boolean("scale", scale)
        self.momentum = number("momentum", momentum)
        self.synchronized = boolean("synchronized", synchronized)
        self.renorm = boolean("renorm", renorm)
        self.renorm_clipping = renorm_clipping
        self.renorm_momentum = renorm_momentum

    def weight_shapes(self, input_shape: Shape) -> dict[str, Any]:
        """Return the shapes of the vectors that exist: one value per channel."""
        names = ["gamma"] * self.scale + ["beta"] * self.center
        channels = (input_shape[_within(self, self.axis, input_shape)],)
        names += ["moving_mean", "moving_variance"]
        names += ["moving_stddev", "renorm_mean", "renorm_stddev"] * self.renorm
        return dict.fromkeys(names, channels)

    def apply(self, inputs: Array, mask: Any, generator: Generator | None, /, **_: Any) -> Array:
        """Normalize by the moving averages, or by the statistics of the batch in training."""
        mean, variance = self.weights["moving_mean"], self.weights["moving_variance"]
        if generator is not None:
            mean, variance = self._batch_moments(inputs, mask)
        inverse = 1 / np.sqrt(variance + self.dtype.type(self.epsilon))
        if self.scale:
            inverse = inverse * self.weights["gamma"]
        shift = -mean * inverse
        if self.center:
            shift = shift + self.weights["beta"]
        shape = [1] * inputs.ndim
        shape[self.axis] = -1
        return inputs * inverse.reshape(shape) + shift.reshape(shape)

    def _batch_moments(self, inputs: Array, mask: Array | None) -> tuple[Array, Array]:
        """Return mean and variance per channel, over the time steps that the mask keeps."""
        rows = np.moveaxis(inputs, self.axis, -1)
        kept = rows[np.asarray(mask, bool)] if mask is not None else rows
        rows = kept.reshape(-1, rows.shape[-1])
        return rows.mean(axis=0, dtype=self.dtype), rows.var(axis=0, dtype=self.dtype)


class LayerNormalization(Layer):
    """`y = gamma * (x - mean) / sqrt(variance + epsilon) + beta`, per example (arXiv:1607.06450).

    If values are nearly equal, their differences are magnified by up to `1 / sqrt(epsilon)`,
    including rounding errors of previous layers. Float64 does not add to that. The mask is passed
    through.

    Shapes: `(N, ...)` to `(N, ...)`; gamma and beta have the sizes of the normalized axes.

    Args:
        axis: Axis or axes over which mean and variance are computed.
        epsilon: Added to the variance.
        center: Whether to add `beta`.
        scale: Whether to multiply by `gamma`.
        rms_scaling: Whether to compute `y = gamma * x / sqrt(variance + epsilon)` instead, a
            deprecated option of Keras. The variance is that about the mean.
    """

    supports_masking = True

    def __init__(
        self,
        axis: int | Sequence[int] = -1,
        epsilon: float = 1e-3,
        center: bool = True,
        scale: bool = True,
        rms_scaling: bool = False,
        name: str | None = None,
    ) -> None:
        super().__init__(name)
        self.rms_scaling = boolean("rms_scaling", rms_scaling)
        axes = axis if isinstance(axis, list | tuple) else [axis]
        self.axis = [_axis("axis", one) for one in axes]
        self.epsilon = number("epsilon", epsilon, 0)
        self.center = boolean("center", center) and not self.rms_scaling
        self.scale = boolean("scale", scale) or self.rms_scaling

    def weight_shapes(self, input_shape: Shape) -> dict[str, Any]:
        """Return the sizes of the normalized axes, in the order of the axes."""
        axes = sorted(self.axis)
        shape = tuple(input_shape[_within(self, axis, input_shape)] for axis in axes)
        return dict.fromkeys(["gamma"] * self.scale + ["beta"] * self.center, shape)

    def call(self, inputs: Array) -> Array:
        """Normalize over the axes, then scale and shift."""
        axes = tuple(sorted(axis % inputs.ndim for axis in self.axis))
        shape = [size if axis in axes else 1 for axis, size in enumerate(inputs.shape)]
        if self.rms_scaling:
            exact = inputs.astype(np.float64)
            variance = exact.var(axis=axes, keepdims=True)
            outputs = exact / np.sqrt(variance + self.epsilon)
        else:
            outputs = _standardized(inputs, axes, self.epsilon)
        if self.scale:
            outputs *= self.weights["gamma"].reshape(shape).astype(outputs.dtype)
        if self.center:
            outputs += self.weights["beta"].reshape(shape).astype(outputs.dtype)
        return outputs.astype(self.dtype, copy=False)


class GroupNormalization(Layer):
    """`y = gamma * (x - mean) / sqrt(variance + epsilon) + beta`, per group (arXiv:1803.08494).

    Mean and variance are computed over the channels of a group and all other axes of an example.
    The mask is passed through.

    Shapes: `(N, ...)` to `(N, ...)`; gamma and beta `(channels,)`.

    Args:
        groups: Number of groups. Must divide the number of channels. -1 for one group per channel.
        axis: Axis of the channels.
        epsilon: Added to the variance.
        center: Whether to add `beta`.
        scale: Whether to multiply by `gamma`.
    """

    supports_masking = True

    def __init__(
        self,
        groups: int = 32,
        axis: int = -1,
        epsilon: float = 1e-3,
        center: bool = True,
        scale: bool = True,
        name: str | None = None,
    ) -> None:
        super().__init__(name)
        self.groups = -1 if groups == -1 else positive("groups", groups)
        self.axis = _axis("axis", axis)
        self.epsilon = number("epsilon", epsilon, 0)
        self.center = boolean("center", center)
        self.scale = boolean("scale", scale)

    def weight_shapes(self, input_shape: Shape) -> dict[str, Any]:
        """Return the shapes of the vectors that exist: one value per channel.

        Raises:
            ValueError: If the groups do not divide the channels.
        """
        channels = input_shape[_within(self, self.axis, input_shape)]
        if channels is not None and self.groups != -1 and channels % self.groups:
            raise ValueError(
                f"Layer {self.name!r} splits {channels} channels into {self.groups} groups, which "
                "is not even."
            )
        return dict.fromkeys(["gamma"] * self.scale + ["beta"] * self.center, (channels,))

    def call(self, inputs: Array) -> Array:
        """Normalize each group, then scale and shift. Computed in float64 and rounded once."""
        axis = self.axis % inputs.ndim
        channels = inputs.shape[axis]
        groups = channels if self.groups == -1 else self.groups
        sizes = (groups, channels // groups)
        grouped = inputs.reshape(*inputs.shape[:axis], *sizes, *inputs.shape[axis + 1 :])
        others = tuple(i for i in range(1, grouped.ndim) if i != axis)
        outputs = _standardized(grouped, others, self.epsilon)
        shape = [1] * grouped.ndim
        shape[axis : axis + 2] = sizes
        if self.scale:
            outputs *= self.weights["gamma"].reshape(shape)
        if self.center:
            outputs += self.weights["beta"].reshape(shape)
        return outputs.reshape(inputs.shape).astype(self.dtype)


class RMSNormalization(Layer):
    """`y = scale * x / sqrt(mean(x**2) + epsilon)`, per example (arXiv:1910.07467).

    As in Keras, the mask is dropped.

    Shapes: `(N, ...)` to `(N, ...)`; the scale has the sizes of the normalized axes.

    Args:
        axis: Axis or axes of the mean.
        epsilon: Added to the mean of the squares.
    """

    def __init__(
        self, axis: int | Sequence[int] = -1, epsilon: float = 1e-6, name: str | None = None
    ) -> None:
        super().__init__(name)
        axes = axis if isinstance(axis, list | tuple) else [axis]
        self.axis = sorted(_axis("axis", one) for one in axes)
        self.epsilon = number("epsilon", epsilon, 0)

    def weight_shapes(self, input_shape: Shape) -> dict[str, Any]:
        """Return the sizes of the normalized axes."""
        axes = [_within(self, axis, input_shape) for axis in self.axis]
        return {"scale": tuple(input_shape[axis] for axis in axes)}

    def call(self, inputs: Array) -> Array:
        """Divide by the root mean square, then scale. Computed in float64 and rounded once.

        As in Keras, the scale is broadcast to the input from the last axis.
        """
        wide = inputs.astype(np.float64)
        square = np.mean(np.square(wide), axis=tuple(self.axis), keepdims=True)
        outputs = wide / np.sqrt(square + self.epsilon) * self.weights["scale"]
        return outputs.astype(self.dtype)


class UnitNormalization(Layer):
    """`y = x / sqrt(sum(x**2))` over the axes, and 0 where all are 0. The mask is passed through.

    Shapes: `(N, ...)` to `(N, ...)`.

    Source: `keras.layers.UnitNormalization` of Keras 3.

    Args:
        axis: Axis or axes of the sum.
    """

    supports_masking = True

    def __init__(self, axis: int | Sequence[int] = -1, name: str | None = None) -> None:
        super().__init__(name)
        axes = axis if isinstance(axis, list | tuple) else [axis]
        self.axis = [_axis("axis", one) for one in axes]

    def call(self, inputs: Array) -> Array:
        """Divide by the norm, but at least by 1e-12. Computed in float64 and rounded once."""
        wide = inputs.astype(np.float64)
        norm = np.sqrt(np.square(wide).sum(axis=tuple(self.axis), keepdims=True))
        return (wide / np.maximum(norm, _LEAST_NORM)).astype(self.dtype)


class SpectralNormalization(Layer):
    """`y = layer(x)`, with a kernel divided by its largest singular value (arXiv:1802.05957).

    The stored kernel is already divided. In training, each call would divide it again. This is not
    supported.

    Shapes: those of the nested layer. The kernel is that of the nested layer. The weight
    `vector_u`, `(1, last size of the kernel)`, is not used.

    Args:
        layer: A layer with a kernel, or an Embedding.
        power_iterations: Ignored. Used in training only.
    """

    def __init__(self, layer: Any, power_iterations: int = 1, name: str | None = None) -> None:
        super().__init__(name)
        if not isinstance(layer, Layer):
            raise InvalidOption("layer", layer, "a layer")
        self.layer = layer
        self.power_iterations = positive("power_iterations", power_iterations)

    def build(self, input_shape: Any) -> None:
        """Build the nested layer, whose kernel determines the size of `vector_u`."""
        if not self.layer.built:
            self.layer.build(input_shape)
        super().build(input_shape)

    def weight_shapes(self, _input_shape: Any) -> dict[str, Any]:
        """Return the shapes of the kernel and of `vector_u`.

        Raises:
            ValueError: If the nested layer has neither a kernel nor embeddings.
        """
        shapes = self.layer.own_weight_shapes()
        kernel = shapes.get("kernel", shapes.get("embeddings"))
        if kernel is None:
            raise ValueError(f"Layer {self.name!r} normalises {self.layer!r}, which has no kernel.")
        return {"kernel": kernel, "vector_u": (1, kernel[-1])}

    def borrowed_weights(self) -> dict[str, tuple[Layer, str]]:
        """Return the kernel of the nested layer. Keras lists and saves it twice."""
        name = "kernel" if "kernel" in self.layer.own_weight_shapes() else "embeddings"
        return {"kernel": (self.layer, name)}

    def compute_output_shape(self, input_shape: Any) -> Any:
        """Return the output shape of the nested layer."""
        return self.layer.compute_output_shape(input_shape)

    def apply(self, inputs: Any, _mask: Any, generator: Generator | None, /, **_: Any) -> Any:
        """Call the nested layer.

        Raises:
            ValueError: In training.
        """
        if generator is not None:
            raise ValueError(f"Layer {self.name!r} changes its kernel in training: not supported.")
        return self.layer.run(inputs)[0]


class Rescaling(Layer):
    """`y = x * scale + offset`. The mask is passed through.

    Shapes: `(N, ...)` to `(N, ...)`.

    Source: `keras.layers.Rescaling` of Keras 3.

    Args:
        scale: A number, or one number per channel on the last axis.
        offset: A number, or one number per channel on the last axis.
    """

    supports_masking = True

    def __init__(self, scale: Any, offset: Any = 0.0, name: str | None = None) -> None:
        super().__init__(name)
        self.scale = _numbers("scale", scale)
        self.offset = _numbers("offset", offset)

    def call(self, inputs: Array) -> Array:
        """Scale, then shift."""
        return inputs * self.scale.astype(self.dtype) + self.offset.astype(self.dtype)


class Normalization(Layer):
    """`y = (x - mean) / max(sqrt(variance), 1e-7)`, or its inverse. The mask is passed through.

    Shapes: `(N, ...)` to `(N, ...)`; mean and variance have the sizes of the axes in `axis`.

    Source: `keras.layers.Normalization` of Keras 3.

    Args:
        axis: Axis or axes with separate statistics. None for one mean and variance of all elements.
        mean: The mean, or None if it was learned from data and is stored as a weight.
        variance: The variance, or None if it was learned as well.
        invert: Whether to compute `y = mean + x * max(sqrt(variance), 1e-7)` instead.
    """

    supports_masking = True

    def __init__(
        self,
        axis: int | Sequence[int] | None = -1,
        mean: Any = None,
        variance: Any = None,
        invert: bool = False,
        name: str | None = None,
    ) -> None:
        super().__init__(name)
        axes = [] if axis is None else axis if isinstance(axis, list | tuple) else [axis]
        self.axis = [_axis("axis", one) for one in axes]
        self.invert = boolean("invert", invert)
        if (mean is None) != (variance is None):
            raise InvalidOption("variance", variance, "a variance if and only if there is a mean")
        self.mean = None if mean is None else _numbers("mean", mean)
        self.variance = None if variance is None else _numbers("variance", variance)

    def weight_shapes(self, input_shape: Shape) -> dict[str, Any]:
        """Return the sizes of the kept axes, and a scalar for the number of learned examples."""
        if self.mean is not None:
            return {}
        axes = sorted(_within(self, axis, input_shape) for axis in self.axis)
        shape = tuple(input_shape[axis] for axis in axes)
        return {"mean": shape, "variance": shape, "count": ()}

    def call(self, inputs: Array) -> Array:
        """Apply mean and variance."""
        mean = self._broadcast(self.weights.get("mean", self.mean), inputs)
        deviation = np.sqrt(self._broadcast(self.weights.get("variance", self.variance), inputs))
        deviation = np.maximum(deviation, self.dtype.type(_EPSILON))
        return mean + inputs * deviation if self.invert else (inputs - mean) / deviation

    def _broadcast(self, statistic: Any, inputs: Array) -> Array:
        """Reshape a statistic to the rank of the input, with size 1 for shared axes."""
        shape = [1] * inputs.ndim
        axes = sorted(axis % inputs.ndim for axis in self.axis)
        for axis, size in zip(reversed(axes), reversed(np.shape(statistic)), strict=False):
            shape[axis] = size
        return np.asarray(statistic, self.dtype).reshape(shape)


def _standardized(inputs: Array, axes: tuple[int, ...], epsilon: float) -> Array:
    """Return `(x - mean) / sqrt(variance + epsilon)` over some axes, computed in float64.

    Over the last axis, the dtype is that of the inputs where their squares are in its range. This
    takes 0.6 of the time.
    """
    if axes == (inputs.ndim - 1,):
        centered, variance = _centered_rows(inputs)
        if inputs.dtype != np.float64 and not _is_in_range(variance + epsilon):
            centered, variance = _centered_rows(inputs.astype(np.float64))
    else:
        centered = inputs.astype(np.float64)
        centered -= centered.mean(axis=axes, keepdims=True)
        variance = np.mean(np.square(centered), axis=axes, keepdims=True)
    centered *= 1 / np.sqrt(variance + epsilon)
    return centered


def _centered_rows(x: Array) -> tuple[Array, Array]:
    """Return x minus the mean over its last axis, and the variance, with an axis of size 1.

    Sums are dot products: a quarter of the time for rows of 64. The mean is subtracted twice. If
    values are nearly equal, the rounding of the first mean would be magnified.
    """
    size = x.shape[-1]
    share = np.full(size, 1 / size, x.dtype)
    with np.errstate(over="ignore", invalid="ignore"):
        centered = x - (x @ share)[..., None]
        centered -= (centered @ share)[..., None]
        return centered, np.vecdot(centered, centered)[..., None] / x.dtype.type(size)


def _is_in_range(variance: Array) -> bool:
    """Whether squares of this mean neither overflow nor lose digits in float32; False for NaN."""
    least, largest = variance.min(initial=1), variance.max(initial=1)
    return bool(1 / _LARGEST < least <= largest < _LARGEST)


def _axis(option: str, value: Any) -> int:
    """Return an axis if it is an integer. Keras writes a list with one axis for some layers."""
    if isinstance(value, list | tuple) and len(value) == 1:
        value = value[0]
    if isinstance(value, bool) or not isinstance(value, int):
        raise InvalidOption(option, value, "an integer")
    return value


def _within(layer: Layer, axis: int, shape: Shape) -> int:
    """Return an axis, counted from the front."""
    if not -len(shape) <= axis < len(shape):
        raise ValueError(f"Layer {layer.name!r} has axis {axis}, outside an input {shape}.")
    return axis % len(shape)


def _numbers(option: str, value: Any) -> Array:
    """Convert numbers in nested lists to a float64 array."""
    try:
        array = np.asarray(value, np.float64)
    except (TypeError, ValueError):
        array = np.array(np.nan)
    if not np.isfinite(array).all() or array.size == 0:
        raise InvalidOption(option, value, "finite numbers")
    return array
