"""Stacked recurrent layers of equal size, computed together as a wavefront.

When the first layer is at time t, the second is at t - 1 and the third at t - 2. No layer depends
on what another computes in the same step, so the same few calls compute the step of all layers, and
a stack needs as many calls as one layer. The states of the layers are side by side in the rows of
one array. The input of each product, [h of the layer below, h of the layer], is a view of it.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import Self

import numpy as np
from numpy.lib.stride_tricks import as_strided

from scratch_forward.kernels.recurrent.gates import (
    Features,
    Shape,
    SingleGates,
    Slots,
    Tokens,
    flat_view,
    inputs_ahead,
    side_by_side,
)
from scratch_forward.kernels.recurrent.ragged import Ragged
from scratch_forward.kernels.recurrent.recurrence import Recurrent, Result
from scratch_forward.kernels.recurrent.step_loops import STEPPERS, Cell, Gates, Step
from scratch_forward.kernels.runtime import matmul
from scratch_forward.kernels.runtime.workspace import Workspace


@dataclass(frozen=True)
class Wavefront:
    """L layers of one direction with the same cell and u units, each applied to the one below."""

    cell: Cell
    units: int
    first: Recurrent
    upper: np.ndarray  # (L - 1, G, 2 u, u): weights of the state below, own state
    biases: np.ndarray  # (G, L, 1, u)
    candidate: np.ndarray | None  # (L, u, u), see `Recurrent`

    @classmethod
    def of(cls, layers: Sequence[Recurrent]) -> Self:
        """Combine the weights of the layers."""
        first, *others = layers
        units = first.units
        upper = np.concatenate([layer.weights[:, :, :-1] for layer in others])
        if first.cell == "lstm":
            upper[:, :, :units] *= upper.dtype.type(0.5)  # the state below is also 2 h
        biases = np.concatenate([layer.weights[:, :, -1:] for layer in layers]).swapaxes(0, 1)
        candidates = [layer.candidate for layer in layers if layer.candidate is not None]
        candidate = np.concatenate(candidates) if candidates else None
        return cls(first.cell, units, first, upper, biases, candidate)

    @property
    def directions(self) -> int:
        """1: a wavefront has one direction."""
        return 1

    @property
    def depth(self) -> int:
        """Number of layers."""
        return self.biases.shape[1]

    @property
    def terms(self) -> int:
        """Number of terms in the dot product of each gate element."""
        return self.upper.shape[2]

    @property
    def gates_of_a_step(self) -> int:
        """Number of gate elements per sequence and step."""
        return self.biases.size

    @staticmethod
    def joins(below: Recurrent, above: Recurrent) -> bool:
        """Whether two layers can be in the same wavefront."""
        one_way = len(below.weights) == len(above.weights) == 1
        alike = below.weights.shape[1] == above.weights.shape[1] and below.units == above.units
        return one_way and alike and below.cell == above.cell

    def run(
        self,
        inputs: Tokens | Features,
        batch: Ragged,
        *,
        return_sequences: bool,
        workspace: Workspace | None = None,
    ) -> Result:
        """Run all layers over a batch. Returns the result of the last, see `Recurrent.run`."""
        workspace = workspace or Workspace()
        schedule = self._schedule(batch)
        gates = self._gates(inputs, batch, workspace)
        outputs = None
        if return_sequences:
            shape = (1, len(schedule), len(batch.lengths), self.units)
            outputs = workspace.array(("outputs", id(self)), shape, self.upper.dtype)
            if not batch.is_full:
                outputs[...] = 0
        STEPPERS[self.cell](gates, schedule, outputs, self.candidate)
        if outputs is not None:
            outputs = outputs[:, len(self.upper) :]
        return Result(outputs, [state[-1:] for state in gates.states])

    def _schedule(self, batch: Ragged) -> list[Step]:
        """Return the lanes and sequences of each step.

        The sequences are those that the last layer still needs. The other layers are ahead of it,
        so they also compute past the ends of sequences; those values are never read.
        """
        running, behind = batch.running.tolist(), len(self.upper)
        return Step.schedule(
            (max(t - len(running) + 1, 0), min(t, behind) + 1, running[max(t - behind, 0)])
            for t in range(len(running) + behind if running else 0)
        )

    def _gates(self, inputs: Tokens | Features, batch: Ragged, workspace: Workspace) -> Gates:
        if len(batch.lengths) > 1:
            return _WaveGates(self, inputs, len(batch.lengths), workspace)
        gates, lanes, _, units = self.biases.shape
        shape = Shape(lanes, gates, int(self.cell == "lstm"), 1, units)
        ahead = np.empty((batch.steps + lanes - 1, gates, lanes, units), self.biases.dtype)
        ahead[...] = self.biases[:, :, 0]
        ahead[: batch.steps, :, :1] = inputs_ahead(self.first.weights, inputs)
        return SingleGates(shape, self._terms, ahead, workspace)

    @cached_property
    def _terms(self) -> list[tuple[slice, np.ndarray]]:
        """Per layer, its part of the states (L u,), with the state below, and their weights."""
        units = self.units
        parts = [slice((lane - 1) * units, (lane + 1) * units) for lane in range(1, self.depth)]
        own = (slice(0, units), side_by_side(self.first.of_state)[0])
        return [own, *zip(parts, side_by_side(self.upper), strict=True)]


class _WaveGates:
    """The gates of all layers of a wavefront, each at its own time."""

    def __init__(
        self, wavefront: Wavefront, inputs: Tokens | Features, sequences: int, workspace: Workspace
    ) -> None:
        gates, lanes, _, units = wavefront.biases.shape
        dtype = wavefront.upper.dtype
        self._wavefront, self._inputs = wavefront, inputs
        shape = Shape(lanes, gates, int(wavefront.cell == "lstm"), sequences, units)
        self._slots = Slots(shape, dtype, workspace)
        self._rows = workspace.array("rows", (sequences, lanes, units), dtype)
        self._rows[...] = 0
        self.states = [self._rows.swapaxes(0, 1), *self._slots.cells]
        self._buffer = workspace.array("added", (gates * lanes * sequences * units,), dtype)
        self._first = workspace.array("found", (gates * sequences * units,), dtype)

    def cut(self, step: Step) -> np.ndarray:
        """Return the buffer for the gates of a step's layers and sequences."""
        slots, self._z = self._slots.cut(step)
        self._added = flat_view(self._buffer, self._z.shape)
        self._added[...] = self._wavefront.biases[:, step.first : step.last]
        self._feed, self._products = None, []
        if step.first == 0:
            self._feed = self._inputs_into(self._added[:, 0], step.sequences)
            state = self._rows[: step.sequences, 0]
            self._products.append(
                matmul.cut(state, self._wavefront.first.of_state[0], self._z[:, 0])
            )
        if step.last > 1:
            lowest = max(step.first, 1)
            rows = self._pairs()[lowest - 1 : step.last - 1, :, : step.sequences]
            weights = self._wavefront.upper[lowest - 1 : step.last - 1]
            out = self._z[:, lowest - step.first :].swapaxes(0, 1)
            self._products.append(matmul.cut(rows, weights, out))
        return slots

    def fill(self, number: int) -> None:
        """Compute x W + h U + b of each layer at its own time into the buffer."""
        if self._feed is not None:
            self._feed(number)
        for product in self._products:
            np.matmul(*product)
        np.add(self._z, self._added, self._z)

    def _pairs(self) -> np.ndarray:
        """View each layer's state next to the state below it: (L - 1, 1, N, 2 u)."""
        sequences, lanes, units = self._rows.shape
        by_sequence, by_lane, by_unit = self._rows.strides
        shape, strides = (lanes - 1, 1, sequences, 2 * units), (by_lane, 0, by_sequence, by_unit)
        return as_strided(self._rows, shape, strides, writeable=False)

    def _inputs_into(self, out: np.ndarray, sequences: int) -> Callable[[int], object]:
        """Return a function that writes x W + b of the first layer's time to `out`, (G, n, u)."""
        found = flat_view(self._first, out.shape)
        if isinstance(self._inputs, Tokens):
            table, (ids,) = self._inputs
            ids = np.asarray(ids[:, :sequences], np.intp)

            def look_up(number: int) -> None:
                table.take(ids[number], 1, found, "clip")
                out[...] = found

            return look_up
        (parts,), kernel, start = self._inputs.parts, self._wavefront.first.of_inputs[0], 0
        pairs = []
        for part in parts:
            stop = start + part.shape[-1]
            pairs.append((part[:, :sequences], kernel[:, start:stop]))
            start = stop

        def project(number: int) -> None:
            out[...] = self._wavefront.biases[:, 0]
            for part, weights in pairs:
                np.add(out, np.matmul(part[number], weights, found), out)

        return project
