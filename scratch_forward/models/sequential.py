"""Layers in a row."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np

from scratch_forward.fast.fusion import Row, fuse
from scratch_forward.fast.plan import Stage
from scratch_forward.layers.base import Array, Generator, shape_of
from scratch_forward.layers.core import Embedding, InputLayer
from scratch_forward.models.network import Network, give_unique_names
from scratch_forward.symbolic import SymbolicTensor, tensors_in


class Sequential(Network):
    """Layers in a row: the output and the mask of each go to the next.

    A model that begins with an `InputLayer`, a tensor of `Input`, or an `Embedding` knows all
    shapes at once; any other learns them from the first batch, or from `build(input_shape)`.

    Args:
        layers: The layers, first to last.
        name: Name of the model.
    """

    def __init__(self, layers: Sequence[Any] = (), name: str | None = None) -> None:
        super().__init__(name)
        given = [x.node.layer if isinstance(x, SymbolicTensor) else x for x in layers]
        first = given[0] if given else None
        self.input_layer = first if isinstance(first, InputLayer) else None
        self.layers = [layer for layer in given if not isinstance(layer, InputLayer)]
        self._pending: list[Array] | None = None
        self.built_shape: Any = None
        give_unique_names(self.layers)
        if self.input_layer is not None:
            self.build((None, *self.input_layer.shape))
        elif isinstance(first, Embedding):
            self.build((None, None))

    @property
    def clears_input_masks(self) -> bool | list[bool]:  # type: ignore[override]
        """Whether the first layer that does anything takes the mask off the input."""
        acting = [layer for layer in self.layers if not layer.returns_its_input]
        return acting[0].clears_input_masks if acting else False

    def add(self, layer: Any) -> None:
        """Append a layer."""
        named = self.name if self.named else None
        Sequential.__init__(self, [*self._entrance(), *self.layers, layer], named)

    def upto(self, name: str) -> Sequential:
        """Return the model that ends at a layer, with the same weights.

        Raises:
            ValueError: If there is no layer of this name.
        """
        end = self.layers.index(self.get_layer(name)) + 1
        part = Sequential([*self._entrance(), *self.layers[:end]], f"{self.name}_upto_{name}")
        if self.input_layer is None and self.built:
            part.build(self.built_shape)
        return part

    @property
    def input_shape(self) -> Any:
        """Shape of the input, None where a size is open.

        Raises:
            ValueError: If it is not known yet.
        """
        if not self.built:
            raise ValueError(f"Model {self.name!r} does not know its input's shape yet.")
        return self.built_shape

    def build(self, input_shape: Any) -> None:
        """Fix the shapes of all weights, and set those that were given before."""
        super().build(input_shape)
        self.built_shape = input_shape
        if self._pending is not None:
            self.set_weights(self._pending)

    def build_children(self, input_shape: Any) -> None:
        """Build each layer for the output of the one before."""
        for layer in self.layers:
            layer.build(input_shape)
            input_shape = layer.compute_output_shape(input_shape)

    def compute_output_shape(self, input_shape: Any) -> Any:
        """Return the shape of the last layer's output."""
        for layer in self.layers:
            input_shape = layer.compute_output_shape(input_shape)
        return input_shape

    def set_weights(self, arrays: Sequence[Any]) -> None:
        """Set all weights; before the input's shape is known they are kept until it is.

        Args:
            arrays: As Keras's `get_weights` returns them.

        Raises:
            ValueError: If their number or a shape is not what the model has.
        """
        if self.built:
            super().set_weights(arrays)
        else:
            self._pending = [np.asarray(array) for array in arrays]

    def run(
        self, inputs: Any, mask: Any = None, generator: Generator | None = None, **_: Any
    ) -> tuple[Any, Any]:
        """Compute outputs and their mask, layer by layer."""
        return self.plain_stage().run(inputs, mask, generator)

    def plain_stage(self) -> Row:
        """Return the layers as they are, in a row."""
        return Row([*self._entrance(), *self.layers])

    def fused(self) -> Stage:
        """Return the layers in a row, those taken together that can be."""
        return Row([*self._entrance(), *fuse(self.layers)])

    def _entrance(self) -> list[InputLayer]:
        return [] if self.input_layer is None else [self.input_layer]

    def __call__(self, inputs: Any, *args: Any, **arguments: Any) -> Any:
        """Compute the outputs of a batch; see `Layer.__call__`."""
        if not self.built and not any(tensors_in(inputs)):
            self.build(shape_of(np.asarray(inputs)))
        return super().__call__(inputs, *args, **arguments)
