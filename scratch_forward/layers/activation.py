"""Activations as layers. The mask is passed through."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np

from scratch_forward import activations
from scratch_forward.activations import Activation as ActivationFunction
from scratch_forward.errors import InvalidOption
from scratch_forward.layers.base import Array, Generator, Layer, Shape
from scratch_forward.layers.options import activation_option, number

_MASKED = -1e9  # the value that Keras substitutes for a masked logit


class Activation(Layer):
    """`y = activation(x)` for any Keras activation by name.

    Shapes: `(N, ...)` to `(N, ...)`, unless the activation is `glu`, which halves the last axis.

    Source: `keras.layers.Activation` of Keras 3.

    Args:
        activation: A name, a function, or an activation layer without weights.
    """

    supports_masking = True

    def __init__(self, activation: str | ActivationFunction, name: str | None = None) -> None:
        super().__init__(name)
        self.activation = activation_option("activation", activation)

    def call(self, inputs: Array) -> Array:
        """Apply the activation."""
        return self.activation(inputs)


class ReLU(Layer):
    """`x` where `x > threshold`, at most `max_value`; else `negative_slope * (x - threshold)`.

    Shapes: `(N, ...)` to `(N, ...)`.

    Source: `keras.layers.ReLU` of Keras 3.

    Args:
        max_value: Upper limit of the output, or None.
        negative_slope: Slope below the threshold.
        threshold: The threshold.
    """

    supports_masking = True

    def __init__(
        self,
        max_value: float | None = None,
        negative_slope: float = 0.0,
        threshold: float = 0.0,
        name: str | None = None,
    ) -> None:
        super().__init__(name)
        self.max_value = None if max_value is None else number("max_value", max_value, 0)
        self.negative_slope = number("negative_slope", negative_slope or 0.0, 0)
        self.threshold = number("threshold", threshold or 0.0, 0)

    def call(self, inputs: Array) -> Array:
        """Apply `activations.relu` with the options."""
        return activations.relu(inputs, self.negative_slope, self.max_value, self.threshold)


class LeakyReLU(Layer):
    """`x` if positive, else `negative_slope * x` (Maas et al. 2013).

    Shapes: `(N, ...)` to `(N, ...)`.

    Args:
        negative_slope: Slope for negative inputs. The default of Keras's function is 0.2 instead.
    """

    supports_masking = True

    def __init__(self, negative_slope: float = 0.3, name: str | None = None) -> None:
        super().__init__(name)
        self.negative_slope = number("negative_slope", negative_slope)

    def call(self, inputs: Array) -> Array:
        """Apply `activations.leaky_relu`."""
        return activations.leaky_relu(inputs, self.negative_slope)


class ELU(Layer):
    """`x` if positive, else `alpha * (exp(x) - 1)` (arXiv:1511.07289).

    Shapes: `(N, ...)` to `(N, ...)`.

    Args:
        alpha: Negative of the limit for very negative inputs.
    """

    supports_masking = True

    def __init__(self, alpha: float = 1.0, name: str | None = None) -> None:
        super().__init__(name)
        self.alpha = number("alpha", alpha)

    def call(self, inputs: Array) -> Array:
        """Apply `activations.elu`."""
        return activations.elu(inputs, self.alpha)


class PReLU(Layer):
    """`max(x, 0) - alpha * max(-x, 0)` with a learned `alpha` (arXiv:1502.01852).

    Shapes: `(N, ...)` to `(N, ...)`; `alpha` has the shape of one example, with 1 along shared
    axes.

    Args:
        shared_axes: Axes along which `alpha` is shared, counted from 1.
    """

    supports_masking = True

    def __init__(
        self, shared_axes: int | Sequence[int] | None = None, name: str | None = None
    ) -> None:
        super().__init__(name)
        axes = shared_axes if isinstance(shared_axes, list | tuple) else [shared_axes]
        self.shared_axes = [axis for axis in axes if axis is not None]
        for axis in self.shared_axes:
            if isinstance(axis, bool) or not isinstance(axis, int) or axis < 1:
                raise InvalidOption("shared_axes", shared_axes, "axes counted from 1")

    def weight_shapes(self, input_shape: Shape) -> dict[str, Any]:
        """Return the shape of `alpha`: that of an example, with 1 along shared axes."""
        sizes = [1 if axis in self.shared_axes else size for axis, size in enumerate(input_shape)]
        return {"alpha": tuple(sizes[1:])}

    def call(self, inputs: Array) -> Array:
        """Scale the negative part by alpha."""
        return np.maximum(inputs, 0) - self.weights["alpha"] * np.maximum(-inputs, 0)


class Softmax(Layer):
    """`exp(x) / sum(exp(x))` along an axis. Unlike `activation="softmax"`, it uses a mask.

    A masked element counts as -1e9 in the sum and is 0 in the output. The mask must be
    broadcastable to the inputs. The mask of an Embedding therefore does not fit logits `(N, T, C)`
    unless C equals T.

    Shapes: `(N, ...)` to `(N, ...)`.

    Source: `keras.layers.Softmax` of Keras 3.

    Args:
        axis: Axis or axes of the sum.
    """

    supports_masking = True

    def __init__(self, axis: int | Sequence[int] = -1, name: str | None = None) -> None:
        super().__init__(name)
        axes: tuple[Any, ...] = tuple(axis) if isinstance(axis, list | tuple) else (axis,)
        if any(isinstance(one, bool) or not isinstance(one, int) for one in axes):
            raise InvalidOption("axis", axis, "an axis or a list of them")
        self.axis: int | tuple[int, ...] = axes[0] if len(axes) == 1 else axes

    def apply(self, inputs: Array, mask: Any, _generator: Generator | None, /, **_: Any) -> Array:
        """Apply softmax to the elements that the mask keeps."""
        if mask is None:
            return activations.softmax(inputs, self.axis)
        kept = np.where(mask, inputs, inputs.dtype.type(_MASKED))
        return np.where(mask, activations.softmax(kept, self.axis), inputs.dtype.type(0))
