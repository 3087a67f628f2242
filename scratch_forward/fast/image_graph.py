"""Stage for a part of a graph: convolutions and the sums of their outputs, as in residual networks.

Groups of examples stay in the layout of the kernels, with the batch as the last axis, from the
first convolution to the last layer. Changing the layout around every sum took most of the time.
"""

from __future__ import annotations

import math
from collections.abc import Iterator, Sequence
from typing import Any, NamedTuple

import numpy as np

from scratch_forward.fast.fusion import chains, fuse_chains, is_elementwise, is_spatial
from scratch_forward.fast.graph_run import run_nodes
from scratch_forward.fast.image_stage import (
    MANY,
    MOST_THREADS,
    ByShape,
    group_size,
    is_relu,
    stages_of,
)
from scratch_forward.fast.profile import Clock, shapes_through
from scratch_forward.kernels.convolution.batch_last import (
    Sum,
    batch_first,
    batch_last,
    inlet_of,
    padded_count,
)
from scratch_forward.kernels.runtime.workspace import Workspace, WorkspacePerThread
from scratch_forward.layers.base import Array, Generator, Layer
from scratch_forward.layers.convolution import Conv2D, DepthwiseConv2D, SeparableConv2D
from scratch_forward.layers.merging import Add
from scratch_forward.symbolic import Node, SymbolicTensor

_CONVOLUTIONS = (Conv2D, DepthwiseConv2D, SeparableConv2D)


def with_image_graphs(nodes: Sequence[Node], outputs: Sequence[SymbolicTensor]) -> list[Node]:
    """Replace each part of a graph that an `ImageGraph` can compute by one node."""
    rest, done = list(nodes), []
    while rest:
        part = _part(rest, outputs)
        if part:
            taken = set(map(id, part))
            last = rest.index(part[-1])
            before = [node for node in rest[:last] if id(node) not in taken]
            done += [*before, _as_node(part)]
            rest = rest[last + 1 :]
        else:
            done.append(rest.pop(0))
    return done


def _part(nodes: list[Node], outputs: Sequence[SymbolicTensor]) -> list[Node]:
    """Return nodes from the first one on, with one input, one output and at least one sum."""
    first = nodes[0]
    if not (type(first.layer) in _CONVOLUTIONS and _is_supported(first)):
        return []
    known = {first.inputs}
    found: list[Node] = []
    for node in nodes:
        if _is_supported(node) and known.issuperset(node.parents()):
            found.append(node)
            known.update(node.outputs)
    while any(isinstance(node.layer, Add) for node in found):
        if len(_read_outside(found, nodes, outputs)) == 1:
            return found
        found.pop()
    return []


def _read_outside(
    part: list[Node], nodes: list[Node], outputs: Sequence[SymbolicTensor]
) -> set[SymbolicTensor]:
    """Return the tensors of a part that other nodes read, or that are outputs of the graph."""
    taken = set(map(id, part))
    others = {tensor for node in nodes if id(node) not in taken for tensor in node.parents()}
    return {out for node in part for out in node.outputs} & (others | set(outputs))


def _is_supported(node: Node) -> bool:
    layer = node.layer
    if node.arguments or len(node.outputs) != 1 or node.outputs[0].index:
        return False
    if type(layer) is Add:
        shapes = {tensor.shape for tensor in node.parents()}
        return isinstance(node.inputs, list) and len(shapes) == 1 and len(shapes.pop()) == 4
    if not isinstance(node.inputs, SymbolicTensor) or len(node.inputs.shape) != 4:
        return False
    return is_elementwise(layer) or (is_spatial(layer, 2) and not layer.returns_its_input)


def _as_node(part: list[Node]) -> Node:
    entry = part[0].inputs
    readers = [node for node in part if entry in node.parents()]
    maskless = frozenset({entry}) if all(entry in node.maskless for node in readers) else None
    graph = ImageGraph(part)
    return Node(graph, entry, outputs=part[-1].outputs, maskless=maskless or frozenset())


class ImageGraph:
    """Nodes computed on groups of examples with the batch as the last axis.

    Fewer than 12 examples, and masked ones, are computed node by node.

    Args:
        nodes: The nodes, each after those that it depends on. The first reads the input of all, and
            the last computes the output.
    """

    returns_its_input = False
    most_threads = MOST_THREADS

    def __init__(self, nodes: Sequence[Node]) -> None:
        self._nodes, self._entry, self._exit = list(nodes), nodes[0].inputs, nodes[-1].outputs[0]
        self._few = fuse_chains(self._nodes, [self._exit])
        self._by_shape = ByShape(lambda shape: _Program(self._nodes, shape))

    def fused(self) -> ImageGraph:
        """Return the stage itself."""
        return self

    def run(
        self,
        inputs: Any,
        mask: Any = None,
        generator: Generator | None = None,
        clock: Clock | None = None,
    ) -> tuple[Any, Any]:
        """Compute the outputs of a batch and their mask."""
        x = self._nodes[0].layer.convert(inputs)
        if x.ndim != 4 or len(x) < MANY or not x.size or mask is not None:
            values = {self._entry: (inputs, mask)}
            run_nodes(self._few, values, generator)
            return values[self._exit]
        return self._by_shape.run(x, clock), None


class _Step(NamedTuple):
    """A stage, the tensors that it reads, and the one that it computes."""

    stage: Any
    reads: list[Any]
    computes: Any
    layers: list[Layer]
    shape: Any  # of the input, or a list of several, without the batch


class _Program:
    """The steps for images of one size."""

    def __init__(self, nodes: list[Node], shape: tuple[int, ...]) -> None:
        self._entry, self._exit = nodes[0].inputs, nodes[-1].outputs[0]
        shapes = {self._entry: shape}
        self._steps = [
            step for row in chains(nodes, [self._exit]) for step in _steps_of(row, shapes)
        ]
        self.group = group_size(max(math.prod(shape) for shape in shapes.values()))
        self._buffers = WorkspacePerThread()

    def run(self, x: Array, clock: Clock | None) -> Array:
        """Compute a group of examples (n, H, W, C)."""
        count, workspace = len(x), self._buffers.workspace
        first = self._inlet(self._entry, count, x.dtype, workspace)
        values = {self._entry: batch_last(x, first, workspace)}
        for stage, reads, computes, layers, shape in self._steps:
            given = [values[tensor] for tensor in reads]
            out = self._inlet(computes, count, x.dtype, workspace)
            values[computes] = stage(given if isinstance(stage, Sum) else given[0], workspace, out)
            if clock is not None:
                clock.lap(layers, count, shapes_through(layers, shape))
        return batch_first(values[self._exit], count)

    def _inlet(
        self, tensor: Any, count: int, dtype: np.dtype, workspace: Workspace
    ) -> Array | None:
        """Return the array from which the first convolution reads a tensor, or None."""
        inlets = (
            inlet_of(step.stage, padded_count(count), dtype, workspace)
            for step in self._steps
            if tensor in step.reads
        )
        return next((inlet for inlet in inlets if inlet is not None), None)


def _steps_of(row: list[Node], shapes: dict[Any, tuple[int, ...]]) -> Iterator[_Step]:
    """Yield the steps of a chain of nodes, and add the shapes of what they compute."""
    layers, final = [node.layer for node in row], row[-1].outputs[0]
    reads: list[Any] = row[0].parents()
    shape = shapes[reads[0]]
    if isinstance(layers[0], Add):
        count = 1 + (len(layers) > 1 and is_relu(layers[1]))
        computes = final if count == len(layers) else object()
        several = [(None, *shape)] * len(reads)
        yield _Step(Sum(relu=count == 2), reads, computes, layers[:count], several)
        layers, reads = layers[count:], [computes]
        shapes[computes] = shape
    stages = stages_of(layers, shape)
    for number, ((taken, its_shape), stage) in enumerate(stages):
        computes = final if number + 1 == len(stages) else object()
        yield _Step(stage, reads, computes, taken, (None, *its_shape))
        for layer in taken:
            its_shape = layer.compute_output_shape((None, *its_shape))[1:]
        shapes[computes], reads = its_shape, [computes]
