"""How values and masks pass through the nodes of a graph."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Any

from scratch_forward.layers.base import Generator
from scratch_forward.nested_arrays import leaves, map_leaves
from scratch_forward.symbolic import Node, SymbolicTensor, is_symbolic

Values = dict[SymbolicTensor, tuple[Any, Any]]  # value and mask of each tensor


def run_nodes(nodes: Sequence[Node], values: Values, generator: Generator | None) -> None:
    """Compute the outputs of nodes in order, and add them to the values."""
    for node in nodes:
        outputs, masks = _run_node(node, values, generator)
        values.update(_paired(node.outputs, outputs, masks))


def _run_node(
    node: Node, values: dict[SymbolicTensor, tuple[Any, Any]], generator: Generator | None
) -> tuple[Any, Any]:
    """Call a node's layer on values and masks computed before.

    Keras passes the mask of the input to a layer only if the input is the only tensor argument. A
    recurrent layer with an `initial_state` therefore runs unmasked, but still passes the mask on.
    A layer that accepts the mask of each argument by name receives all of them.
    """

    def value(item: Any) -> Any:
        return values[item][0] if isinstance(item, SymbolicTensor) else item

    def mask_of(item: Any) -> Any:
        kept = isinstance(item, SymbolicTensor) and item not in node.maskless
        return values[item][1] if kept else None

    inputs = map_leaves(value, node.inputs)
    attached = map_leaves(mask_of, node.inputs)
    arguments = {name: map_leaves(value, item) for name, item in node.arguments.items()}
    explicit = arguments.pop("mask", None)
    alone = not is_symbolic(node.arguments)
    if explicit is not None or alone or "mask" not in node.layer.call_arguments:
        mask = attached if explicit is None else explicit
        return node.layer.run(inputs, mask, generator, **arguments)
    outputs, _ = node.layer.run(inputs, None, generator, **arguments)
    passes = node.layer.supports_masking
    return outputs, node.layer.compute_mask(inputs, attached) if passes else None


def _paired(
    tensors: list[SymbolicTensor], outputs: Any, masks: Any
) -> Iterator[tuple[SymbolicTensor, tuple[Any, Any]]]:
    """Pair the output tensors of a node with values and masks. Missing masks are None."""
    flat = list(leaves(outputs))
    its_masks = list(masks) if isinstance(masks, list | tuple) else [masks]
    its_masks += [None] * (len(flat) - len(its_masks))
    return zip(tensors, zip(flat, its_masks, strict=False), strict=True)
