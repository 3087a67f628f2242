"""Values that are not known yet: what `Input` returns, and how layers are wired on them."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

import numpy as np

if TYPE_CHECKING:
    from scratch_forward.layers.base import Layer


@dataclass(eq=False)
class SymbolicTensor:
    """An array to come: output number `index` of a node.

    Attributes:
        shape: Its shape, None where a size is open.
        node: The call that computes it.
        index: Which of the node's outputs it is.
    """

    shape: tuple[int | None, ...]
    node: Node
    index: int


@dataclass(eq=False)
class Node:
    """One call of a layer in a graph.

    Attributes:
        layer: The layer called; a shared layer has several nodes.
        inputs: A tensor, or a list of tensors and constants.
        arguments: Other arguments of the call, such as `initial_state` and `mask`.
        outputs: What the call returns.
    """

    layer: Layer
    inputs: Any
    arguments: dict[str, Any] = field(default_factory=dict)
    outputs: list[SymbolicTensor] = field(default_factory=list)

    def parents(self) -> list[SymbolicTensor]:
        """All tensors that the call reads, in the order of its arguments."""
        return list(tensors_in((self.inputs, self.arguments)))


def connect(layer: Layer, inputs: Any, **arguments: Any) -> Any:
    """Call a layer on tensors to come, building it for their shape.

    Returns:
        A tensor to come, or a tuple of them for a layer with several outputs.
    """
    given = {name: value for name, value in arguments.items() if value is not None}
    shape = map_structure(lambda item: item.shape, inputs)
    if not layer.built:
        layer.build(shape)
    node = Node(layer, inputs, given)
    output_shape = layer.compute_output_shape(shape)
    shapes = output_shape if isinstance(output_shape, list) else [output_shape]
    node.outputs = [SymbolicTensor(shape, node, index) for index, shape in enumerate(shapes)]
    layer.nodes.append(node)
    return tuple(node.outputs) if isinstance(output_shape, list) else node.outputs[0]


def is_symbolic(structure: Any) -> bool:
    """Whether a structure of lists, tuples and dicts holds a tensor to come."""
    return next(tensors_in(structure), None) is not None


def tensors_in(structure: Any) -> Iterator[SymbolicTensor]:
    """Yield all tensors to come in a structure, from first to last; dicts by sorted key."""
    if isinstance(structure, SymbolicTensor):
        yield structure
    elif isinstance(structure, list | tuple):
        for item in structure:
            yield from tensors_in(item)
    elif isinstance(structure, dict):
        for key in sorted(structure):
            yield from tensors_in(structure[key])


def map_structure(function: Callable[[Any], Any], structure: Any) -> Any:
    """Apply a function to every leaf of a structure; constants count as arrays."""
    if isinstance(structure, list | tuple):
        return [map_structure(function, item) for item in structure]
    if isinstance(structure, dict):
        return {key: map_structure(function, item) for key, item in structure.items()}
    return function(structure if isinstance(structure, SymbolicTensor) else np.asarray(structure))
