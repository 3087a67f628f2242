"""Stage for recurrent layers in a row, with an optional embedding before them."""

from __future__ import annotations

import math
from collections.abc import Sequence
from itertools import pairwise
from typing import Any

import numpy as np

from scratch_forward.fast.fallback import run_plain
from scratch_forward.fast.profile import Clock, shapes_through
from scratch_forward.kernels.convolution.batch_last import Lap
from scratch_forward.kernels.recurrent.layer_stack import (
    RecurrentStack,
    StackLayer,
    join_wavefronts,
)
from scratch_forward.kernels.recurrent.recurrence import Recurrent, Weights
from scratch_forward.kernels.recurrent.step_loops import Cell
from scratch_forward.kernels.runtime.workspace import WorkspacePerThread
from scratch_forward.layers.base import Array, Generator, Layer
from scratch_forward.layers.core import Embedding
from scratch_forward.layers.recurrent.bidirectional import Bidirectional
from scratch_forward.layers.recurrent.gru import GRUCell
from scratch_forward.layers.recurrent.lstm import LSTMCell
from scratch_forward.layers.recurrent.rnn import RNN
from scratch_forward.layers.recurrent.simple_rnn import SimpleRNNCell

# Cost of a step from which another thread pays off, in gate elements, not counting the terms of
# their products. From this size on, the calls of a step take long enough that the 5 microseconds of
# waiting for the interpreter lock at each call do not matter. At 64,000 elements a second thread
# gained nothing; at 77,000 it did.
LEAST_STEP = 70_000
TERMS = 64  # terms of a product that take as long as the element-wise operations after it
LARGEST_TABLE = 1 << 24  # elements; larger products of embedding and kernel are not stored

_CELLS: dict[type[Layer], Cell] = {SimpleRNNCell: "simple_rnn", LSTMCell: "lstm", GRUCell: "gru"}


class SequenceStage:
    """Recurrent layers with an optional embedding before them. Padding is never computed.

    If the embedding is not too large, the first layer's projection of every token is computed once
    and then looked up.
    """

    def __init__(self, layers: Sequence[Layer]) -> None:
        self.layers = list(layers)
        first = self.layers[0]
        self._embedding = first if isinstance(first, Embedding) else None
        recurrent = [layer for layer in self.layers if isinstance(layer, RNN | Bidirectional)]
        stack = [_stack_layer(layer) for layer in recurrent]
        first_recurrent, last = stack[0].recurrent, recurrent[-1]
        assert isinstance(first_recurrent, Recurrent)
        self.return_sequences = last.return_sequences
        self._buffers = WorkspacePerThread()
        self._stack = RecurrentStack(
            join_wavefronts(stack),
            self._table(first_recurrent),
            self.return_sequences,
            isinstance(last, Bidirectional) or last.zero_output_for_mask,
        )

    @property
    def worth_a_thread(self) -> int:
        """Number of examples from which an additional thread pays off."""
        dearest = max(map(self._step_cost, range(len(self._stack.layers))))
        return math.ceil(LEAST_STEP / dearest)

    def _step_cost(self, number: int) -> float:
        """Estimate the cost of one step of a layer, or of a wavefront, for one example."""
        layer = self._stack.layers[number].recurrent
        looked_up = number == 0 and self._stack.table is not None and layer.depth == 1
        terms = layer.units if looked_up else layer.terms
        return layer.gates_of_a_step * (1 + terms / TERMS)

    def _table(self, first: Recurrent) -> Array | None:
        if self._embedding is None:
            return None
        directions, gates, _, units = first.weights.shape
        if self._embedding.input_dim * directions * gates * units > LARGEST_TABLE:
            return None
        return first.look_up_table(self._embedding.weights["embeddings"])

    def run(
        self,
        inputs: Any,
        mask: Any = None,
        generator: Generator | None = None,
        clock: Clock | None = None,
    ) -> tuple[Array, Any]:
        """Compute outputs and their mask: the input mask if sequences are returned, else None."""
        x = self.layers[0].convert(inputs)
        embedding = self._embedding
        if embedding is not None:
            mask = embedding.compute_mask(inputs, None) if embedding.mask_zero else None
        if x.ndim != (3 if embedding is None else 2) or not x.size or not _fits(mask, x):
            return run_plain(self.layers, inputs, mask, generator)
        if embedding is not None:
            x = embedding.call(x) if self._stack.table is None else embedding.positions(x)
        kept = None if mask is None else np.asarray(mask, bool)
        outputs = self._stack(x, kept, self._buffers.workspace, self._laps(clock, inputs))
        return outputs, mask if self.return_sequences else None

    def _laps(self, clock: Clock | None, inputs: Any) -> Lap:
        """Return a function that reports each finished layer to the clock.

        The embedding is reported with the first recurrent layer.
        """
        if clock is None:
            return lambda _: None
        shapes = shapes_through(self.layers, (None, *np.shape(inputs)[1:]))
        stops = np.cumsum([layer.recurrent.depth for layer in self._stack.layers])
        stops += self._embedding is not None
        runs = [slice(*bounds) for bounds in pairwise([0, *stops])]
        return lambda number: clock.lap(
            self.layers[runs[number]], len(inputs), shapes[runs[number]]
        )


def _fits(mask: Any, x: Array) -> bool:
    return mask is None or np.shape(mask) == x.shape[:2]


def _stack_layer(layer: RNN | Bidirectional) -> StackLayer:
    """Prepare the weights of a recurrent layer for its kernel."""
    if isinstance(layer, Bidirectional):
        cells = [layer.forward_layer.cell, layer.backward_layer.cell]
        assert layer.merge_mode is not None
        return StackLayer(_recurrent(cells), layer.merge_mode)  # type: ignore[arg-type]
    return StackLayer(_recurrent([layer.cell]), backwards=layer.go_backwards)


def _recurrent(cells: list[Any]) -> Recurrent:
    weights = [
        Weights(cell.weights["kernel"], cell.weights["recurrent_kernel"], cell.weights.get("bias"))
        for cell in cells
    ]
    reset_after = getattr(cells[0], "reset_after", True)
    return Recurrent.prepare(_CELLS[type(cells[0])], weights, reset_after=reset_after)
