"""Sequential models: layers in a row."""

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
    """A row of layers. The output and mask of each layer are passed to the next.

    As `keras.Sequential`. If the first element is an `InputLayer`, a tensor of `Input`, or an
    `Embedding`, all shapes are known at once. Otherwise the model is built on the first batch, or
    by `build(input_shape)`.
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
        """Whether the first layer that changes its input removes the mask from the input."""
        acting = [layer for layer in self.layers if not layer.returns_its_input]
        return acting[0].clears_input_masks if acting else False

    def add(self, layer: Any) -> None:
        """Append a layer."""
        named = self.name if self.named else None
        Sequential.__init__(self, [*self._entrance(), *self.layers, layer], named)

    def upto(self, name: str) -> Sequential:
        """Return the model that ends at the given layer. It shares this model's weights.

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
        """Shape of the input, with None for unknown sizes.

        Raises:
            ValueError: If the model has not been built.
        """
        if not self.built:
            raise ValueError(f"Model {self.name!r} does not know its input's shape yet.")
        return self.built_shape

    def build(self, input_shape: Any) -> None:
        """Set the shapes of all weights, and assign weights that were set before."""
        super().build(input_shape)
        self.built_shape = input_shape
        if self._pending is not None:
            self.set_weights(self._pending)

    def build_children(self, input_shape: Any) -> None:
        """Build each layer for the output shape of the previous one."""
        for layer in self.layers:
            layer.build(input_shape)
            input_shape = layer.compute_output_shape(input_shape)

    def compute_output_shape(self, input_shape: Any) -> Any:
        """Return the shape of the last layer's output."""
        for layer in self.layers:
            input_shape = layer.compute_output_shape(input_shape)
        return input_shape

    def set_weights(self, arrays: Sequence[Any]) -> None:
        """Set all weights. If the model has not been built, they are kept until it is.

        Args:
            arrays: Arrays in the order of Keras's `get_weights`.

        Raises:
            ValueError: If the number of arrays or a shape does not match the model.
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
        """Return the layers as separate stages, without fusion."""
        return Row([*self._entrance(), *self.layers])

    def fused(self) -> Stage:
        """Return the layers with chains of them fused where possible."""
        return Row([*self._entrance(), *fuse(self.layers)])

    def _entrance(self) -> list[InputLayer]:
        return [] if self.input_layer is None else [self.input_layer]

    def __call__(self, inputs: Any, *args: Any, **arguments: Any) -> Any:
        """Compute the outputs of a batch. See `Layer.__call__`."""
        if not self.built and not any(tensors_in(inputs)):
            self.build(shape_of(np.asarray(inputs)))
        return super().__call__(inputs, *args, **arguments)
