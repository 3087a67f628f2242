"""The rules for which layers are fused.

A stage replaces a sequence of layers if its kernels support all their options. Every other layer is
a stage of its own.
"""

from __future__ import annotations

import dataclasses
from collections import Counter
from collections.abc import Sequence
from typing import Any

from scratch_forward import activations
from scratch_forward.fast.plan import Stage, most_threads, most_worth_a_thread
from scratch_forward.fast.profile import Clock, timed
from scratch_forward.layers.activation import ELU, Activation, LeakyReLU, ReLU
from scratch_forward.layers.base import Generator, Layer
from scratch_forward.layers.convolution import Conv1D, Conv2D, DepthwiseConv2D, SeparableConv2D
from scratch_forward.layers.core import Dense, Embedding
from scratch_forward.layers.multi_head_attention import MultiHeadAttention
from scratch_forward.layers.normalization import BatchNormalization
from scratch_forward.layers.pooling import (
    AveragePooling1D,
    AveragePooling2D,
    MaxPooling1D,
    MaxPooling2D,
)
from scratch_forward.layers.recurrent.bidirectional import Bidirectional
from scratch_forward.layers.recurrent.gru import GRUCell
from scratch_forward.layers.recurrent.lstm import LSTMCell
from scratch_forward.layers.recurrent.rnn import RNN
from scratch_forward.layers.recurrent.simple_rnn import SimpleRNNCell
from scratch_forward.layers.reshaping import Flatten
from scratch_forward.symbolic import Node, SymbolicTensor

_POOLING = {1: (MaxPooling1D, AveragePooling1D), 2: (MaxPooling2D, AveragePooling2D)}
_CONVOLUTIONS = (Conv1D, Conv2D, DepthwiseConv2D, SeparableConv2D)
_OVER_AN_AXIS = (
    *(activations.softmax, activations.log_softmax, activations.sparsemax),
    activations.glu,
)
_CELLS = (SimpleRNNCell, LSTMCell, GRUCell)


def fuse(layers: Sequence[Layer]) -> list[Stage]:
    """Convert layers in a row to stages. Layers without effect at inference are left out."""
    stages: list[Stage] = []
    rest = [layer for layer in layers if not layer.returns_its_input]
    while rest:
        if taken := _image_layers(rest):
            from scratch_forward.fast.image_stage import ImageStage  # saves start-up time

            stages.append(ImageStage(rest[:taken]))
        elif taken := _sequence_layers(rest):
            from scratch_forward.fast.sequence_stage import SequenceStage

            stages.append(SequenceStage(rest[:taken]))
        elif taken := _dense_layers(rest):
            from scratch_forward.fast.dense_stage import DenseStage

            stages.append(DenseStage(rest[:taken]))
        else:
            taken = 1
            stages.append(_stage_of_one(rest[0]))
        rest = rest[taken:]
    return stages


def _stage_of_one(layer: Layer) -> Stage:
    if isinstance(layer, MultiHeadAttention):
        from scratch_forward.fast.attention_stage import AttentionStage

        if AttentionStage.covers(layer):
            return AttentionStage(layer)
    return layer.fused()


class Row:
    """Stages in a row, used in place of one layer."""

    def __init__(self, stages: list[Stage]) -> None:
        self.stages = stages

    def run(
        self, values: Any, mask: Any = None, generator: Generator | None = None
    ) -> tuple[Any, Any]:
        """Compute outputs and their mask, stage by stage."""
        for stage in self.stages:
            values, mask = stage.run(values, mask, generator)
        return values, mask

    @property
    def worth_a_thread(self) -> int:
        """Number of examples from which an additional thread pays off."""
        return most_worth_a_thread(self.stages)

    @property
    def most_threads(self) -> int:
        """Largest number of threads that is faster than fewer."""
        return most_threads(self.stages)

    def timed(self, clock: Clock) -> Row:
        """Return the row with every stage reporting its time to a clock."""
        return Row([timed(stage, clock) for stage in self.stages])


def fuse_nodes(nodes: Sequence[Node], outputs: Sequence[SymbolicTensor]) -> list[Node]:
    """Fuse chains of nodes in a graph, and parts with sums of images.

    No other node may read the tensors within a chain.
    """
    if any(type(node.layer) in _CONVOLUTIONS for node in nodes):
        from scratch_forward.fast.image_graph import with_image_graphs  # imports this module

        nodes = with_image_graphs(nodes, outputs)
    return fuse_chains(nodes, outputs)


def fuse_chains(nodes: Sequence[Node], outputs: Sequence[SymbolicTensor]) -> list[Node]:
    """Fuse chains of nodes in a graph. See `fuse_nodes`."""
    return [_as_one_node(row) for row in chains(nodes, outputs)]


def chains(nodes: Sequence[Node], outputs: Sequence[SymbolicTensor]) -> list[list[Node]]:
    """Split a graph into chains of nodes whose inner tensors no other node reads."""
    readers = Counter([*outputs, *(tensor for node in nodes for tensor in node.parents())])
    rows: dict[SymbolicTensor, list[Node]] = {}  # by the output of each row's last node
    found: list[list[Node]] = []
    for node in nodes:
        before = node.inputs if isinstance(node.inputs, SymbolicTensor) else None
        alone = before and readers[before] == 1 and not (node.arguments or node.maskless)
        row = rows.get(before) if before and alone else None
        if row is None:
            row = []
            found.append(row)
        row.append(node)
        if len(node.outputs) == 1 and not row[0].arguments:
            rows[node.outputs[0]] = row
    position = {id(node): index for index, node in enumerate(nodes)}
    found.sort(key=lambda row: position[id(row[-1])])
    return found


def _as_one_node(row: list[Node]) -> Node:
    if row[0].arguments:  # has initial states or its own mask, which only the layer itself supports
        return row[0]
    stages = fuse([node.layer for node in row])
    layer: Any = stages[0] if len(stages) == 1 else Row(stages)
    return dataclasses.replace(row[0], layer=layer, outputs=row[-1].outputs)


def _image_layers(layers: Sequence[Any]) -> int:
    """Return how many layers, from a convolution on, one `ImageStage` can compute."""
    if type(layers[0]) not in _CONVOLUTIONS:
        return 0
    rank, flat = layers[0].rank, False
    for count, layer in enumerate(layers):
        if is_elementwise(layer):
            continue
        if flat:
            if type(layer) is not Dense or not _acts_elementwise(layer.activation):
                return count
        elif type(layer) is Flatten and layer.data_format == "channels_last":
            flat = True
        elif not is_spatial(layer, rank):
            return count
    return len(layers)


def is_spatial(layer: Any, rank: int) -> bool:
    """Whether a stage can compute this layer on images with the batch as the last axis."""
    if isinstance(layer, BatchNormalization):
        return layer.axis in (-1, rank + 1)
    if getattr(layer, "data_format", "") != "channels_last":
        return False
    if type(layer) in _CONVOLUTIONS:
        return layer.rank == rank and _acts_elementwise(layer.activation)
    return (
        type(layer) in _POOLING[rank] and layer.strides == layer.window and layer.padding == "valid"
    )


def is_elementwise(layer: Layer) -> bool:
    """Whether a layer is an activation that acts on each element alone."""
    if type(layer) is Activation:
        return _acts_elementwise(layer.activation)
    return type(layer) in (ReLU, LeakyReLU, ELU)


def _acts_elementwise(activation: Any) -> bool:
    """Whether an activation acts on each element alone, independent of the channel axis."""
    if isinstance(activation, Layer):
        return is_elementwise(activation)
    return activation in activations.ACTIVATIONS.values() and activation not in _OVER_AN_AXIS


def _sequence_layers(layers: Sequence[Any]) -> int:
    """Return how many layers, from the first on, one `SequenceStage` can compute.

    These are an optional embedding and recurrent layers. All recurrent layers but the last return
    sequences.
    """
    start = int(type(layers[0]) is Embedding)
    last = 0
    for count, layer in enumerate(layers[start:], start + 1):
        if not _is_recurrent(layer):
            break
        last = count
        if not layer.return_sequences:
            break
    return last


def _dense_layers(layers: Sequence[Layer]) -> int:
    """Return how many layers, from the first on, one `DenseStage` can compute.

    Only the last one may have an activation that acts on more than each element alone.
    """
    for count, layer in enumerate(layers):
        if type(layer) is not Dense:
            return count
        if not _acts_elementwise(layer.activation):
            return count + 1
    return len(layers)


def _is_recurrent(layer: Layer) -> bool:
    """Whether the recurrent kernels support all options of a layer."""
    if isinstance(layer, Bidirectional):
        forward, backward = layer.forward_layer, layer.backward_layer
        return (
            layer.merge_mode is not None
            and _is_default(forward)
            and _is_default(backward)
            and backward.go_backwards
            and type(forward.cell) is type(backward.cell)
            and forward.cell.units == backward.cell.units
            and _resets_after(forward.cell) == _resets_after(backward.cell)
        )
    if not isinstance(layer, RNN) or not _is_default(layer):
        return False
    return not (layer.go_backwards and layer.return_sequences)


def _is_default(layer: RNN) -> bool:
    """Whether a layer has one cell with default activations, is stateless and returns no state."""
    cell = layer.cell
    return (
        type(cell) in _CELLS
        and cell.activation is activations.tanh
        and getattr(cell, "recurrent_activation", None) in (None, activations.sigmoid)
        and not (layer.stateful or layer.return_state)
    )


def _resets_after(cell: Layer) -> bool:
    return getattr(cell, "reset_after", True)
