"""Symbolic tensors: what `Input` returns, and the nodes that connect layers to a graph."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from typing import Any

import numpy as np

from scratch_forward.nested_arrays import map_leaves


@dataclass(eq=False)
class SymbolicTensor:
    """A value that is not computed yet: output number `index` of a node.

    Attributes:
        shape: Shape of the value, with None for unknown sizes.
        node: The call that computes it.
        index: Number of the output among the outputs of the node.
    """

    shape: tuple[int | None, ...]
    node: Node
    index: int


@dataclass(eq=False)
class Node:
    """One call of a layer in a graph.

    Attributes:
        layer: The called `Layer`. A shared layer has several nodes.
        inputs: First argument: a tensor, or a list or dict of tensors and constants.
        arguments: Other arguments by name, such as `initial_state` and `mask`.
        outputs: Tensors that the call returns; those of a dict by sorted key.
        written: Positional and keyword arguments as a file lists them, which is the order in which
            Keras reads tensors. None if it is the order of `inputs` and `arguments`.
        maskless: Input tensors whose masks an earlier call has removed.
    """

    layer: Any
    inputs: Any
    arguments: dict[str, Any] = field(default_factory=dict)
    outputs: list[SymbolicTensor] = field(default_factory=list)
    written: Any = None
    maskless: frozenset[SymbolicTensor] = frozenset()

    def parents(self) -> list[SymbolicTensor]:
        """Return all tensors that the call reads, in the order of its arguments."""
        written = (self.inputs, self.arguments) if self.written is None else self.written
        return list(tensors_in(written))


def connect(layer: Any, inputs: Any, **arguments: Any) -> Any:
    """Call a layer on symbolic tensors. The layer is built for their shapes if necessary.

    Returns:
        A symbolic tensor, or a tuple or dict of them for a layer with several outputs.
    """
    given = {name: value for name, value in arguments.items() if value is not None}
    if not layer.built:
        layer.build(map_structure(lambda item: item.shape, inputs))
    node = Node(layer, inputs, given)
    outputs = _to_come(layer.compute_call_shape(inputs, given), node)
    layer.nodes.append(node)
    return outputs


def _to_come(shapes: Any, node: Node) -> Any:
    """Create the output tensors of a node for shapes in lists and dicts."""
    if isinstance(shapes, list):
        return tuple(_to_come(shape, node) for shape in shapes)
    if isinstance(shapes, dict):
        made = {key: _to_come(shapes[key], node) for key in sorted(shapes)}
        return {key: made[key] for key in shapes}
    node.outputs.append(SymbolicTensor(shapes, node, len(node.outputs)))
    return node.outputs[-1]


def is_symbolic(structure: Any) -> bool:
    """Whether nested lists, tuples and dicts contain a symbolic tensor."""
    return next(tensors_in(structure), None) is not None


def tensors_in(structure: Any) -> Iterator[SymbolicTensor]:
    """Yield all symbolic tensors in a structure, in order; those of a dict by sorted key."""
    if isinstance(structure, SymbolicTensor):
        yield structure
    elif isinstance(structure, list | tuple):
        for item in structure:
            yield from tensors_in(item)
    elif isinstance(structure, dict):
        for key in sorted(structure):
            yield from tensors_in(structure[key])


def map_structure(function: Callable[[Any], Any], structure: Any) -> Any:
    """Apply a function to every leaf of a structure. Constants are converted to arrays."""
    return map_leaves(
        lambda leaf: function(leaf if isinstance(leaf, SymbolicTensor) else np.asarray(leaf)),
        structure,
    )
