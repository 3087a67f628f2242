"""`Pipeline`: preprocessing layers in a row."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from scratch_forward.errors import InvalidOption
from scratch_forward.layers.base import Generator, Layer, numbered


class Pipeline(Layer):
    """Layers in a row, each applied to the output of the previous one.

    Shapes: those of the layers. As in Keras, the layers get the mask of their input, but the output
    has none.

    Source: `keras.layers.Pipeline` of Keras 3.

    Args:
        layers: The layers, from first to last.
    """

    call_arguments = ("inputs", "training", "mask")

    def __init__(self, layers: Sequence[Layer], name: str | None = None) -> None:
        super().__init__(name)
        if not isinstance(layers, list | tuple) or not all(isinstance(x, Layer) for x in layers):
            raise InvalidOption("layers", layers, "a list of layers")
        self.pipeline_layers = list(layers)

    def children(self) -> dict[str, Layer]:
        """Return the layers, keyed by their path in a weights file."""
        names = numbered(self.pipeline_layers)
        pairs = zip(names, self.pipeline_layers, strict=True)
        return {f"_pipeline_layers/{name}": layer for name, layer in pairs}

    def build_children(self, input_shape: Any) -> None:
        """Build each layer for the output shape of the previous one."""
        for layer in self.pipeline_layers:
            layer.build(input_shape)
            input_shape = layer.compute_output_shape(input_shape)

    def compute_output_shape(self, input_shape: Any) -> Any:
        """Return the shape of the last layer's output."""
        for layer in self.pipeline_layers:
            input_shape = layer.compute_output_shape(input_shape)
        return input_shape

    def convert(self, inputs: Any) -> Any:
        """Return the inputs unchanged. The first layer converts them."""
        return inputs

    def apply(self, inputs: Any, mask: Any, generator: Generator | None, /, **_: Any) -> Any:
        """Apply the layers one after the other."""
        for layer in self.pipeline_layers:
            inputs, mask = layer.run(inputs, mask, generator)
        return inputs
