"""Normalisation: over the batch, over an example, or by constants."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np

from scratch_forward.errors import InvalidOption
from scratch_forward.layers.base import Array, Generator, Layer, Shape
from scratch_forward.layers.options import boolean, number, one_of

_EPSILON = 1e-7  # Keras's fuzz factor, which keeps Normalization from dividing by zero


class BatchNormalization(Layer):
    """`y = gamma * (x - mean) / sqrt(variance + epsilon) + beta`, per channel.

    At inference mean and variance are the stored moving ones, and the layer is
    `x * inv + (beta - mean * inv)` with `inv = gamma / sqrt(variance + epsilon)`. In training they
    are the batch's own (of the steps that a mask keeps); the moving ones are not updated, since a
    call changes no weights. A mask passes through.

    Args:
        axis: The axis of the channels.
        momentum: Ignored; it updates the moving statistics.
        epsilon: Added to the variance.
        center: Whether there is a `beta`.
        scale: Whether there is a `gamma`.
        renorm: False.
        synchronized: Ignored; it concerns training on several devices.
        name: Name of the layer.
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
        renorm_clipping: None = None,
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
        one_of("renorm", renorm, (False,))
        self.renorm_clipping = renorm_clipping
        self.renorm_momentum = renorm_momentum

    def weight_shapes(self, input_shape: Shape) -> dict[str, Any]:
        """Return one size for each of the vectors there are."""
        names = ["gamma"] * self.scale + ["beta"] * self.center
        channels = (input_shape[_within(self, self.axis, input_shape)],)
        return dict.fromkeys([*names, "moving_mean", "moving_variance"], channels)

    def apply(self, inputs: Array, mask: Any, generator: Generator | None, /, **_: Any) -> Array:
        """Normalise by the moving statistics, or by the batch's when training."""
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
        """Return mean and variance per channel over the steps that the mask keeps."""
        rows = np.moveaxis(inputs, self.axis, -1)
        kept = rows[np.asarray(mask, bool)] if mask is not None else rows
        rows = kept.reshape(-1, rows.shape[-1])
        return rows.mean(axis=0, dtype=self.dtype), rows.var(axis=0, dtype=self.dtype)


class LayerNormalization(Layer):
    """`y = gamma * (x - mean) / sqrt(variance + epsilon) + beta`, over each example's own axes.

    Values that are nearly alike are magnified up to `1 / sqrt(epsilon)` times, and with them what
    was rounded before; float64 adds nothing to that. A mask passes through.

    Args:
        axis: The axis, or axes, that mean and variance are taken over.
        epsilon: Added to the variance.
        center: Whether there is a `beta`.
        scale: Whether there is a `gamma`.
        rms_scaling: False.
        name: Name of the layer.
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
        one_of("rms_scaling", rms_scaling, (False,))
        axes = axis if isinstance(axis, list | tuple) else [axis]
        self.axis = [_axis("axis", one) for one in axes]
        self.epsilon = number("epsilon", epsilon, 0)
        self.center = boolean("center", center)
        self.scale = boolean("scale", scale)

    def weight_shapes(self, input_shape: Shape) -> dict[str, Any]:
        """Return the sizes of the normalised axes, in their own order."""
        axes = sorted(self.axis)
        shape = tuple(input_shape[_within(self, axis, input_shape)] for axis in axes)
        return dict.fromkeys(["gamma"] * self.scale + ["beta"] * self.center, shape)

    def call(self, inputs: Array) -> Array:
        """Normalise over the axes, then scale and shift: in float64, rounded once."""
        axes = tuple(sorted(axis % inputs.ndim for axis in self.axis))
        shape = [size if axis in axes else 1 for axis, size in enumerate(inputs.shape)]
        centered = inputs - inputs.mean(axis=axes, keepdims=True, dtype=np.float64)
        variance = np.mean(np.square(centered), axis=axes, keepdims=True)
        outputs = centered / np.sqrt(variance + self.epsilon)
        if self.scale:
            outputs *= self.weights["gamma"].reshape(shape)
        if self.center:
            outputs += self.weights["beta"].reshape(shape)
        return outputs.astype(self.dtype)


class Rescaling(Layer):
    """`y = x * scale + offset`; a mask passes through.

    Args:
        scale: A number, or one for each channel of the last axis.
        offset: A number, or one for each channel of the last axis.
        name: Name of the layer.
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
    """`y = (x - mean) / max(sqrt(variance), 1e-7)`, or its inverse; a mask passes through.

    Args:
        axis: The axis, or axes, that have a mean of their own; None for one mean of everything.
        mean: The mean, or None if it was learnt from data and is stored as a weight.
        variance: The variance, likewise.
        invert: `y = mean + x * max(sqrt(variance), 1e-7)` instead.
        name: Name of the layer.
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
        """Return the kept axes' sizes, and none for the count of what was learnt from."""
        if self.mean is not None:
            return {}
        axes = sorted(_within(self, axis, input_shape) for axis in self.axis)
        shape = tuple(input_shape[axis] for axis in axes)
        return {"mean": shape, "variance": shape, "count": ()}

    def call(self, inputs: Array) -> Array:
        """Shift and scale by the statistics."""
        mean = self._broadcast(self.weights.get("mean", self.mean), inputs)
        deviation = np.sqrt(self._broadcast(self.weights.get("variance", self.variance), inputs))
        deviation = np.maximum(deviation, self.dtype.type(_EPSILON))
        return mean + inputs * deviation if self.invert else (inputs - mean) / deviation

    def _broadcast(self, statistic: Any, inputs: Array) -> Array:
        """Give a statistic one axis for each of the input's, of size 1 where it is shared."""
        shape = [1] * inputs.ndim
        axes = sorted(axis % inputs.ndim for axis in self.axis)
        for axis, size in zip(reversed(axes), reversed(np.shape(statistic)), strict=False):
            shape[axis] = size
        return np.asarray(statistic, self.dtype).reshape(shape)


def _axis(option: str, value: Any) -> int:
    """Return an axis if it is an integer (Keras writes a list of one for some layers)."""
    if isinstance(value, list | tuple) and len(value) == 1:
        value = value[0]
    if isinstance(value, bool) or not isinstance(value, int):
        raise InvalidOption(option, value, "an integer")
    return value


def _within(layer: Layer, axis: int, shape: Shape) -> int:
    """Return an axis counted from the front.

    Raises:
        ValueError: If the shape has no such axis.
    """
    if not -len(shape) <= axis < len(shape):
        raise ValueError(f"Layer {layer.name!r} has axis {axis}, outside an input {shape}.")
    return axis % len(shape)


def _numbers(option: str, value: Any) -> Array:
    """Return numbers, in lists however deep, as a float64 array.

    Raises:
        InvalidOption: If there is anything else.
    """
    try:
        array = np.asarray(value, np.float64)
    except (TypeError, ValueError):
        array = np.array(np.nan)
    if not np.isfinite(array).all() or array.size == 0:
        raise InvalidOption(option, value, "finite numbers")
    return array
