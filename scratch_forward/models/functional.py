"""Functional models: layers in a graph, and how one batch passes through its nodes."""

from __future__ import annotations

import dataclasses
from collections.abc import Sequence
from typing import Any

from scratch_forward.fast.fusion import fuse_nodes
from scratch_forward.fast.graph_run import run_nodes
from scratch_forward.fast.plan import Stage, most_threads, most_worth_a_thread
from scratch_forward.fast.profile import Clock, timed
from scratch_forward.layers.base import Generator
from scratch_forward.layers.operations import Operation
from scratch_forward.models.input_structure import matched
from scratch_forward.models.network import Network, give_unique_names
from scratch_forward.models.node_order import layers_by_depth, nodes_between, without_lost_masks
from scratch_forward.symbolic import Node, SymbolicTensor, map_structure, tensors_in


class Model(Network):
    """A graph of layers: branches, shared layers, nested models, several inputs and outputs.

    As `keras.Model(inputs, outputs)`.

    Args:
        inputs: Tensor that `Input` returned, or a list or dict of such tensors.
        outputs: Tensor computed from the inputs by calling layers, or a list or dict of such
            tensors.

    Raises:
        ValueError: If an output does not depend on the inputs.
    """

    def __init__(self, inputs: Any, outputs: Any, name: str | None = None) -> None:
        super().__init__(name)
        if isinstance(outputs, list | tuple) and len(outputs) == 1:
            outputs = outputs[0]  # as Keras does for a list with one output
        self.inputs = list(tensors_in(inputs))
        self.outputs = list(tensors_in(outputs))
        self._input_structure = inputs
        self._output_structure = outputs
        nodes = nodes_between(self.inputs, self.outputs)
        self._nodes, self._without_mask = without_lost_masks(self.inputs, nodes)
        self.clears_input_masks = [tensor in self._without_mask for tensor in self.inputs]
        self.layers = [
            layer
            for layer in layers_by_depth(self.inputs, self.outputs, nodes)
            if not isinstance(layer, Operation)
        ]
        give_unique_names(self.layers)
        self.output_shape = self.compute_output_shape(None)
        self.built = True

    @property
    def class_name(self) -> str:
        """Keras's class name for a graph."""
        return "Functional"

    def build(self, input_shape: Any) -> None:
        """Do nothing. The graph was built when its layers were called."""

    @property
    def input_shape(self) -> Any:
        """Shape of the input, or a list or dict of shapes in the structure of the inputs."""
        return map_structure(lambda tensor: tensor.shape, self._input_structure)

    def upto(self, name: str) -> Model:
        """Return the model that ends at the first call of a layer. It shares this model's weights.

        Raises:
            ValueError: If there is no layer of this name.
        """
        layer = self.get_layer(name)
        inputs = (tensor.node for tensor in self.inputs)
        node = next(node for node in (*inputs, *self._nodes) if node.layer is layer)
        outputs = list(node.outputs) if len(node.outputs) > 1 else node.outputs[0]
        return Model(self._input_structure, outputs, f"{self.name}_upto_{name}")

    def arranged(self, arrays: list[Any]) -> Any:
        """Arrange one array per entry of `inputs` in the structure of the model's inputs."""
        by_tensor = dict(zip(self.inputs, arrays, strict=True))
        return map_structure(lambda tensor: by_tensor[tensor], self._input_structure)

    def listed(self, values: Any) -> list[Any]:
        """Return one array per entry of `inputs`; a dict is matched by the names of the inputs."""
        return matched(self._input_structure, values, self.name)

    def compute_output_shape(self, _input_shape: Any) -> Any:
        """Return the shape of the output, or a list or dict of shapes in the outputs' structure."""
        return map_structure(lambda tensor: tensor.shape, self._output_structure)

    def run(
        self, inputs: Any, mask: Any = None, generator: Generator | None = None, **_: Any
    ) -> tuple[Any, Any]:
        """Compute outputs and their masks, node by node."""
        return self.run_nodes(self._nodes, inputs, mask, generator)

    def fused(self) -> Stage:
        """Return the graph with chains of nodes fused where possible."""
        return _OtherNodes(self, fuse_nodes(self._nodes, self.outputs))

    def plain_stage(self) -> Stage:
        """Return the graph without fused nodes."""
        return _OtherNodes(self, self._nodes)

    def run_nodes(
        self, nodes: Sequence[Node], inputs: Any, mask: Any, generator: Generator | None
    ) -> tuple[Any, Any]:
        """Compute outputs and their masks by the given nodes: the model's own, or fused ones."""
        values: dict[SymbolicTensor, tuple[Any, Any]] = {
            tensor: (tensor.node.layer.convert(value), its_mask)
            for tensor, value, its_mask in zip(
                self.inputs,
                matched(self._input_structure, inputs, self.name),
                self._flat_masks(mask),
                strict=True,
            )
        }
        run_nodes(nodes, values, generator)
        for tensor in self._without_mask.intersection(self.outputs):
            values[tensor] = (values[tensor][0], None)
        if isinstance(self._output_structure, SymbolicTensor):
            return values[self._output_structure]
        packed = map_structure(lambda tensor: values[tensor][0], self._output_structure)
        return packed, [values[tensor][1] for tensor in self.outputs]

    def _flat_masks(self, mask: Any) -> list[Any]:
        """Return one mask or None per input. A single mask belongs to the first input."""
        if isinstance(mask, list | tuple | dict):
            return matched(self._input_structure, mask, self.name)
        return [mask] + [None] * (len(self.inputs) - 1)


class _OtherNodes:
    """A graph model that is computed by other nodes than its own."""

    def __init__(self, model: Model, nodes: Sequence[Node]) -> None:
        self.model, self.nodes = model, nodes

    def run(
        self, inputs: Any, mask: Any = None, generator: Generator | None = None
    ) -> tuple[Any, Any]:
        """Compute outputs and their masks."""
        return self.model.run_nodes(self.nodes, inputs, mask, generator)

    @property
    def worth_a_thread(self) -> int:
        """Number of examples from which an additional thread pays off."""
        return most_worth_a_thread(node.layer for node in self.nodes)

    @property
    def most_threads(self) -> int:
        """Largest number of threads that is faster than fewer."""
        return most_threads(node.layer for node in self.nodes)

    def timed(self, clock: Clock) -> _OtherNodes:
        """Return the graph with every node reporting its time to a clock."""
        nodes = [dataclasses.replace(node, layer=timed(node.layer, clock)) for node in self.nodes]
        return _OtherNodes(self.model, nodes)
