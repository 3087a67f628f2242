"""The order in which a graph's nodes are computed and its layers are listed."""

from __future__ import annotations

import dataclasses

from scratch_forward.layers.base import Layer
from scratch_forward.symbolic import Node, SymbolicTensor, tensors_in


def nodes_between(inputs: list[SymbolicTensor], outputs: list[SymbolicTensor]) -> list[Node]:
    """Return the nodes between inputs and outputs, each after the nodes that it depends on.

    Raises:
        ValueError: If an output does not depend on the inputs.
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
    """Return the layers in the order of Keras, which determines their paths in a weights file.

    Layers farthest from the outputs come first. Layers at equal depth are in the order of a
    depth-first traversal from the outputs. Unused inputs come last, but before layers of depth 0.
    """
    _, depth = _depths(inputs, nodes)
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


def without_lost_masks(
    inputs: list[SymbolicTensor], nodes: list[Node]
) -> tuple[list[Node], set[SymbolicTensor]]:
    """Record at each node which of its input tensors have lost their masks before it runs.

    A layer with `clears_input_masks` removes the masks from the input tensors themselves, so the
    result depends on the order of calls. Keras calls the nodes farthest from the outputs first. A
    layer that returns its input returns the same tensor.

    Returns:
        The nodes in the same order, copied where masks are lost, and the set of tensors that have
        no mask at the end.
    """
    depth, _ = _depths(inputs, nodes)
    same: dict[SymbolicTensor, SymbolicTensor] = {}
    bare: set[SymbolicTensor] = set()
    maskless: dict[Node, frozenset[SymbolicTensor]] = {}
    for node in sorted(depth, key=lambda node: -depth[node]):
        reads = {tensor: same.get(tensor, tensor) for tensor in node.parents()}
        maskless[node] = frozenset(tensor for tensor, one in reads.items() if one in bare)
        if node.layer.returns_its_input:
            same |= {output: reads[tensor] for output in node.outputs for tensor in reads}
        clears = node.layer.clears_input_masks
        each = clears if isinstance(clears, list) else [clears] * len(reads)
        entering = dict.fromkeys(tensors_in(node.inputs))
        bare |= {reads[tensor] for tensor, cleared in zip(entering, each, strict=False) if cleared}
    copies = [
        dataclasses.replace(node, maskless=maskless[node]) if maskless[node] else node
        for node in nodes
    ]
    return copies, bare | {tensor for tensor, one in same.items() if one in bare}


def _depths(
    inputs: list[SymbolicTensor], nodes: list[Node]
) -> tuple[dict[Node, int], dict[Layer, int]]:
    """Return the depth of each node and of each layer, counted from the outputs as in Keras."""
    depth_of_node: dict[Node, int] = {}
    depth: dict[Layer, int] = {}
    for node in reversed([*(tensor.node for tensor in inputs), *nodes]):
        here = max(depth_of_node.get(node, 0), depth.get(node.layer, 0))
        depth_of_node[node] = depth[node.layer] = here
        for parent in node.parents():
            depth_of_node[parent.node] = max(here + 1, depth_of_node.get(parent.node, 0))
    return depth_of_node, depth
