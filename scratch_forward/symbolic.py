"""Values that are not known yet: what `Input` returns, and how layers are wired on them."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from typing import Any

import numpy as np

from scratch_forward.nested_arrays import map_leaves


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
        layer: The `Layer` called; a shared layer has several nodes.
        inputs: The first argument: a tensor, or a list or dict of tensors and constants.
        arguments: Other arguments of the call by name, such as `initial_state` and `mask`.
        outputs: The tensors that the call returns, dicts by sorted key.
        written: Positional and named arguments as a file has them; Keras reads tensors in that
            order. None where it is that of `inputs` and `arguments`.
        maskless: Tensors that it reads whose masks another call has taken off before.
    """

    layer: Any
    inputs: Any
    arguments: dict[str, Any] = field(default_factory=dict)
    outputs: list[SymbolicTensor] = field(default_factory=list)
    written: Any = None
    maskless: frozenset[SymbolicTensor] = frozenset()

    def parents(self) -> list[SymbolicTensor]:
        """All tensors that the call reads, in the order of its arguments."""
        written = (self.inputs, self.arguments) if self.written is None else self.written
        return list(tensors_in(written))


def connect(layer: Any, inputs: Any, **arguments: Any) -> Any:
    """Call a layer on tensors to come, building it for their shape.

    Returns:
        A tensor to come, or a tuple or dict of them for a layer with several outputs.
    """
    given = {name: value for name, value in arguments.items() if value is not None}
    if not layer.built:
        layer.build(map_structure(lambda item: item.shape, inputs))
    node = Node(layer, inputs, given)
    outputs = _to_come(layer.compute_call_shape(inputs, given), node)
    layer.nodes.append(node)
    return outputs


def _to_come(shapes: Any, node: Node) -> Any:
    """Make a node's tensors, for a structure of shapes: lists and dicts of tuples."""
    if isinstance(shapes, list):
        return tuple(_to_come(shape, node) for shape in shapes)
    if isinstance(shapes, dict):
        made = {key: _to_come(shapes[key], node) for key in sorted(shapes)}
        return {key: made[key] for key in shapes}
    node.outputs.append(SymbolicTensor(shapes, node, len(node.outputs)))
    return node.outputs[-1]


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
    return map_leaves(
        lambda leaf: function(leaf if isinstance(leaf, SymbolicTensor) else np.asarray(leaf)),
        structure,
    )
