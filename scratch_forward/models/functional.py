"""Layers in a graph, and how one batch is run through its nodes."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from typing import Any

from scratch_forward.fast.fusion import fuse_nodes
from scratch_forward.fast.plan import Stage, most_worth_a_thread
from scratch_forward.fast.profile import Clock, timed
from scratch_forward.layers.base import Generator
from scratch_forward.layers.operations import Operation
from scratch_forward.models.network import Network, give_unique_names
from scratch_forward.models.node_order import layers_by_depth, nodes_between
from scratch_forward.nested_arrays import leaves
from scratch_forward.symbolic import Node, SymbolicTensor, map_structure, tensors_in


class Model(Network):
    """Layers in a graph: branches, shared layers, models inside, several inputs and outputs.

    Args:
        inputs: What `Input` returned, or a list or dict of those.
        outputs: Tensors computed from them by calling layers, or a list or dict of those.
        name: Name of the model.
    """

    def __init__(self, inputs: Any, outputs: Any, name: str | None = None) -> None:
        super().__init__(name)
        if isinstance(outputs, list | tuple) and len(outputs) == 1:
            outputs = outputs[0]  # Keras too returns one array for a list of one
        self.inputs = list(tensors_in(inputs))
        self.outputs = list(tensors_in(outputs))
        self._input_structure = inputs
        self._output_structure = outputs
        self._nodes = nodes_between(self.inputs, self.outputs)
        self.layers = [
            layer
            for layer in layers_by_depth(self.inputs, self.outputs, self._nodes)
            if not isinstance(layer, Operation)
        ]
        give_unique_names(self.layers)
        self.output_shape = self.compute_output_shape(None)
        self.built = True

    @property
    def class_name(self) -> str:
        """Keras's name of a model that is a graph."""
        return "Functional"

    def build(self, input_shape: Any) -> None:
        """Do nothing: the graph was built when its layers were called."""

    def compute_output_shape(self, _input_shape: Any) -> Any:
        """Return the shape of the output, or a list of shapes."""
        shapes = [tensor.shape for tensor in self.outputs]
        return shapes[0] if isinstance(self._output_structure, SymbolicTensor) else shapes

    def run(
        self, inputs: Any, mask: Any = None, generator: Generator | None = None, **_: Any
    ) -> tuple[Any, Any]:
        """Compute outputs and their masks, node by node."""
        return self.run_nodes(self._nodes, inputs, mask, generator)

    def fused(self) -> Stage:
        """Return the graph with rows of its nodes taken together where they can be."""
        return _OtherNodes(self, fuse_nodes(self._nodes, self.outputs))

    def plain_stage(self) -> Stage:
        """Return the graph of the layers as they are."""
        return _OtherNodes(self, self._nodes)

    def run_nodes(
        self, nodes: Sequence[Node], inputs: Any, mask: Any, generator: Generator | None
    ) -> tuple[Any, Any]:
        """Compute outputs and their masks by these nodes, the model's own or fused ones."""
        masks = mask if isinstance(mask, list | tuple) else [mask] * len(self.inputs)
        values: dict[SymbolicTensor, tuple[Any, Any]] = {
            tensor: (tensor.node.layer.convert(value), its_mask)
            for tensor, value, its_mask in zip(
                self.inputs, self._flat_inputs(inputs), masks, strict=True
            )
        }
        for node in nodes:
            outputs, output_masks = _run_node(node, values, generator)
            values.update(_paired(node.outputs, outputs, output_masks))
        if isinstance(self._output_structure, SymbolicTensor):
            return values[self._output_structure]
        packed = map_structure(lambda tensor: values[tensor][0], self._output_structure)
        return packed, [values[tensor][1] for tensor in self.outputs]

    def _flat_inputs(self, inputs: Any) -> list[Any]:
        """Return one array for each input, from an array, a list, or a dict by name.

        Raises:
            ValueError: If some are missing or there are others.
        """
        if isinstance(inputs, dict):
            structure = self._input_structure
            keys = (
                list(structure)
                if isinstance(structure, dict)
                else [tensor.node.layer.name for tensor in self.inputs]
            )
            if set(keys) - set(inputs):
                raise ValueError(f"Model {self.name!r} takes inputs {keys}, got {sorted(inputs)}.")
            return [inputs[key] for key in keys]
        single = isinstance(self._input_structure, SymbolicTensor)
        several = isinstance(inputs, list | tuple) and not (single and len(inputs) != 1)
        flat = list(inputs) if several else [inputs]
        if len(flat) != len(self.inputs):
            raise ValueError(
                f"Model {self.name!r} takes {len(self.inputs)} inputs, got {len(flat)}."
            )
        return flat


class _OtherNodes:
    """A graph model by way of other nodes."""

    def __init__(self, model: Model, nodes: Sequence[Node]) -> None:
        self.model, self.nodes = model, nodes

    def run(
        self, inputs: Any, mask: Any = None, generator: Generator | None = None
    ) -> tuple[Any, Any]:
        """Compute outputs and their masks."""
        return self.model.run_nodes(self.nodes, inputs, mask, generator)

    @property
    def worth_a_thread(self) -> int:
        """How many examples gain by a thread of their own."""
        return most_worth_a_thread(node.layer for node in self.nodes)

    def timed(self, clock: Clock) -> _OtherNodes:
        """Return the graph with every node telling a clock of what it does."""
        nodes = [
            Node(timed(node.layer, clock), node.inputs, node.arguments, node.outputs)
            for node in self.nodes
        ]
        return _OtherNodes(self.model, nodes)


def _run_node(
    node: Node, values: dict[SymbolicTensor, tuple[Any, Any]], generator: Generator | None
) -> tuple[Any, Any]:
    """Call a node's layer on values and masks computed before.

    Keras hands a layer its input's mask only if the input is the one tensor argument: a recurrent
    layer with an `initial_state` runs unmasked, yet passes the mask on.
    """

    def value(item: Any) -> Any:
        return values[item][0] if isinstance(item, SymbolicTensor) else item

    inputs = _resolve(node.inputs, value)
    arguments = {name: _resolve(item, value) for name, item in node.arguments.items()}
    attached = _resolve(
        node.inputs, lambda item: values[item][1] if isinstance(item, SymbolicTensor) else None
    )
    explicit = arguments.pop("mask", None)
    if "initial_state" in arguments and explicit is None:
        outputs, _ = node.layer.run(inputs, None, generator, **arguments)
        return outputs, node.layer.compute_mask(inputs, attached)
    return node.layer.run(
        inputs, attached if explicit is None else explicit, generator, **arguments
    )


def _resolve(structure: Any, value: Callable[[Any], Any]) -> Any:
    """Replace every leaf of a structure of lists."""
    if isinstance(structure, list | tuple):
        return [_resolve(item, value) for item in structure]
    return value(structure)


def _paired(
    tensors: list[SymbolicTensor], outputs: Any, masks: Any
) -> Iterator[tuple[SymbolicTensor, tuple[Any, Any]]]:
    """Pair a node's tensors with what was computed for them; masks may be fewer than outputs."""
    several = isinstance(outputs, list | tuple | dict)
    flat = list(leaves(outputs)) if several else [outputs]
    its_masks = list(masks) if isinstance(masks, list | tuple) else [masks]
    its_masks += [None] * (len(flat) - len(its_masks))
    return zip(tensors, zip(flat, its_masks, strict=False), strict=True)
