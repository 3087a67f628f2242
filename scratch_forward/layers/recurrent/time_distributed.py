"""A wrapper that applies a layer to every time step."""

from __future__ import annotations

from typing import Any

import numpy as np

from scratch_forward.errors import InvalidOption
from scratch_forward.layers.base import Array, Generator, Layer, Shape


class TimeDistributed(Layer):
    """Applies a layer to every time step: `y[:, t] = layer(x[:, t])`. The mask is passed through.

    Shapes: `(N, T, ...)` to `(N, T, ...)`. All steps are computed as one batch of N * T examples.

    Source: `keras.layers.TimeDistributed` of Keras 3.

    Args:
        layer: A layer with one input and one output.
    """

    supports_masking = True
    call_arguments = ("inputs", "training", "mask")

    def __init__(self, layer: Any, name: str | None = None) -> None:
        super().__init__(name)
        if not isinstance(layer, Layer):
            raise InvalidOption("layer", layer, "a layer")
        self.layer = layer

    def build_children(self, input_shape: Shape) -> None:
        """Build the layer for one step.

        Raises:
            ValueError: If the input has no time axis.
        """
        if len(input_shape) < 3:
            raise ValueError(
                f"Layer {self.name!r} takes inputs (batch, time, ...), got {input_shape}."
            )
        self.layer.build((input_shape[0], *input_shape[2:]))

    def compute_output_shape(self, input_shape: Shape) -> Shape:
        """Return the output shape of the layer with the time axis inserted."""
        step = self.layer.compute_output_shape((input_shape[0], *input_shape[2:]))
        return (step[0], input_shape[1], *step[1:])

    def apply(self, inputs: Array, mask: Any, generator: Generator | None, /, **_: Any) -> Array:
        """Merge the time axis into the batch axis, apply the layer, and split them again."""
        batch, steps = inputs.shape[:2]
        folded = inputs.reshape(batch * steps, *inputs.shape[2:])
        per_step = None
        if mask is not None:
            kept = np.asarray(mask, bool)
            per_step = kept.reshape(batch * steps, *kept.shape[2:])
        outputs: Array = self.layer.run(folded, per_step, generator)[0]
        return outputs.reshape(batch, steps, *outputs.shape[1:])
