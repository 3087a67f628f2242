"""The order in which a graph's nodes are computed and its layers are listed."""

from __future__ import annotations

from scratch_forward.layers.base import Layer
from scratch_forward.symbolic import Node, SymbolicTensor


def nodes_between(inputs: list[SymbolicTensor], outputs: list[SymbolicTensor]) -> list[Node]:
    """List the nodes between inputs and outputs, each after those that it reads.

    Raises:
        ValueError: If an output does not follow from the inputs.
    """
    given = set(inputs)
    ordered: dict[Node, None] = {}
    stack = [(tensor, False) for tensor in reversed(outputs)]
    while stack:
        tensor, parents_done = stack.pop()
        if tensor in given or tensor.node in ordered:
            continue
        if parents_done:
            ordered[tensor.node] = None
            continue
        parents = tensor.node.parents()
        if not parents:
            raise ValueError(
                f"An output needs {tensor.node.layer.name!r}, which is not among the inputs."
            )
        stack.append((tensor, True))
        stack.extend((parent, False) for parent in reversed(parents))
    return list(ordered)


def layers_by_depth(
    inputs: list[SymbolicTensor], outputs: list[SymbolicTensor], nodes: list[Node]
) -> list[Layer]:
    """List the layers as Keras orders them, which decides their paths in a weights file.

    Farthest from the outputs first; among equals, the one met first when going back from the
    outputs, depth first. Inputs that nothing reads come last but before layers of depth 0.
    """
    depth_of_node: dict[Node, int] = {}
    depth: dict[Layer, int] = {}
    for node in reversed([*(tensor.node for tensor in inputs), *nodes]):
        here = max(depth_of_node.get(node, 0), depth.get(node.layer, 0))
        depth_of_node[node] = depth[node.layer] = here
        for parent in node.parents():
            depth_of_node[parent.node] = max(here + 1, depth_of_node.get(parent.node, 0))
    met: dict[Layer, int] = {}
    stack = list(reversed(outputs))
    seen: set[Node] = set()
    while stack:
        node = stack.pop().node
        if node in seen:
            continue
        seen.add(node)
        met.setdefault(node.layer, len(met))
        stack.extend(reversed(node.parents()))
    return sorted(depth, key=lambda layer: (-depth[layer], met.get(layer, -1)))
