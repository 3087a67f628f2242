"""Layers that `keras.applications` defines for its own architectures."""

from __future__ import annotations

from typing import Any

from scratch_forward.layers.base import Array, Generator, Layer, Shape
from scratch_forward.layers.options import number, positive


class LayerScale(Layer):
    """`y = x * gamma` with one value per channel (arXiv:2103.17239), used by ConvNeXt.

    Shapes: `(..., projection_dim)` to the same; gamma `(projection_dim,)`. As in Keras, the mask is
    dropped.

    Args:
        init_values: Ignored. Initial value of `gamma` in training.
        projection_dim: Number of channels.
    """

    def __init__(self, init_values: float, projection_dim: int, name: str | None = None) -> None:
        super().__init__(name)
        self.init_values = number("init_values", init_values)
        self.projection_dim = positive("projection_dim", projection_dim)

    def weight_shapes(self, _input_shape: Shape) -> dict[str, Any]:
        """Return the shape of `gamma`."""
        return {"gamma": (self.projection_dim,)}

    def call(self, inputs: Array) -> Array:
        """Multiply by `gamma`."""
        return inputs * self.weights["gamma"]


class StochasticDepth(Layer):
    """`y = x` at inference (arXiv:1603.09382), used by ConvNeXt. As in Keras, the mask is dropped.

    In training, Keras drops whole examples at random. This is not supported.

    Shapes: `(N, ...)` to `(N, ...)`.

    Args:
        drop_path_rate: Probability of dropping an example in training.
    """

    def __init__(self, drop_path_rate: float, name: str | None = None) -> None:
        super().__init__(name)
        self.drop_path_rate = number("drop_path_rate", drop_path_rate, 0, 1)

    def apply(self, inputs: Array, _mask: Any, generator: Generator | None, /, **_: Any) -> Array:
        """Return the input.

        Raises:
            ValueError: In training.
        """
        if generator is not None and self.drop_path_rate:
            raise ValueError(f"Layer {self.name!r} is not supported in training.")
        return inputs


class CustomScaleLayer(Layer):
    """`y = x[0] + scale * x[1]`, used by InceptionResNetV2 (arXiv:1602.07261).

    As in Keras, the mask is dropped.

    Shapes: a list of two arrays `(N, ...)` of the same shape, to that shape.

    Args:
        scale: Factor for the second input.
    """

    def __init__(self, scale: float, name: str | None = None) -> None:
        super().__init__(name)
        self.scale = number("scale", scale)

    def compute_output_shape(self, input_shape: Any) -> Shape:
        """Return the first input's shape.

        Raises:
            ValueError: If there are not two inputs.
        """
        if not isinstance(input_shape, list) or len(input_shape) != 2:
            raise ValueError(f"Layer {self.name!r} takes a list of two, got {input_shape}.")
        first: Shape = input_shape[0]
        return first

    def call(self, inputs: Any) -> Array:
        """Scale the second input and add it to the first."""
        total: Array = inputs[0] + inputs[1] * self.dtype.type(self.scale)
        return total
