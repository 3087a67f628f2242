"""SimpleRNN, LSTM and GRU over ragged, time-major batches; both directions in the same step.

Axes: D directions (1, or 2 for Bidirectional), G gates, S steps, N columns of the batch, F
features, u units. A step is one matrix product for each gate and a few calls on whole arrays:

- Inputs, state and a one stand side by side in the rows that are multiplied, [x, h, 1], so the
  product is x W + h U + b. For token ids straight from an Embedding x W + b is looked up instead:
  embedding matrix times W, once per model.
- sigmoid(z) = (1 + tanh(z / 2)) / 2, so one tanh serves all gates; the halves are folded into the
  weights. The LSTM keeps 2 h, which saves a pass (exact: powers of two).
- Columns that have ended are left out: `Ragged` sorts them to the end.

The default activations (tanh, sigmoid) only.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal, NamedTuple, Protocol, Self

import numpy as np

from scratch_forward.kernels.products import multiply
from scratch_forward.kernels.scratch import Scratch
from scratch_forward.kernels.sequences import Ragged

Cell = Literal["simple_rnn", "lstm", "gru"]

BLOCK = 1 << 18  # elements looked up ahead of the steps that use them: what stays in cache

# Keras' order of gates -> ours, sigmoids first; and the factor of each: half before a sigmoid.
_GATES: dict[Cell, tuple[tuple[int, ...], tuple[float, ...]]] = {
    "simple_rnn": ((0,), (1.0,)),
    "lstm": ((0, 1, 3, 2), (0.5, 0.5, 0.5, 1.0)),  # Keras: i, f, c, o
    "gru": ((0, 1, 2), (0.5, 0.5, 1.0)),  # Keras: z, r, h
}


class Weights(NamedTuple):
    """One direction as Keras stores it, G gates.

    kernel: (features, G u); recurrent_kernel: (u, G u); bias: (G u,), None, or for a GRU with
    `reset_after` (2, G u): of the inputs, of the state.
    """

    kernel: np.ndarray
    recurrent_kernel: np.ndarray
    bias: np.ndarray | None


class Tokens(NamedTuple):
    """Inputs by number: ids in [0, V), (S, N) for each direction, and the table (D, G, V, u)."""

    table: np.ndarray
    ids: Sequence[np.ndarray]


class Features(NamedTuple):
    """Inputs for each direction, as parts (S, N, ...) whose features stand side by side."""

    parts: Sequence[Sequence[np.ndarray]]


class Result(NamedTuple):
    """What a layer computed: every output (D, S, N, u) or None, and the states [(D, N, u), ...].

    Outputs are in processing order: the second direction's first output is of the last step. Those
    past a column's end are anything.
    """

    outputs: np.ndarray | None
    states: list[np.ndarray]


@dataclass(frozen=True)
class Recurrent:
    """A recurrent layer's weights in the order of the product, scaled."""

    cell: Cell
    units: int
    weights: np.ndarray  # (D, G, F + u + 1, u): rows of the inputs, of the state, the bias
    candidate: np.ndarray | None  # (D, u, u): of the reset state, for a GRU that resets before

    @classmethod
    def prepare(cls, cell: Cell, directions: list[Weights], *, reset_after: bool = True) -> Self:
        """Order and scale the weights of a layer of one direction, or of two."""
        units = directions[0].recurrent_kernel.shape[0]
        stacks = [_rows(cell, weights, reset_after) for weights in directions]
        weights = np.stack([_split(rows, units) for rows, _ in stacks])
        candidates = [candidate for _, candidate in stacks if candidate is not None]
        return cls(cell, units, weights, np.stack(candidates) if candidates else None)

    @property
    def features(self) -> int:
        """Size of an input."""
        return self.weights.shape[2] - self.units - 1

    def look_up_table(self, embeddings: np.ndarray) -> np.ndarray:
        """Project every row of embeddings (V, features): (D, G, V, u)."""
        kernel, bias = self.weights[:, :, : self.features], self.weights[:, :, -1:]
        return np.matmul(embeddings, kernel) + bias

    def run(
        self,
        inputs: Tokens | Features,
        batch: Ragged,
        *,
        return_sequences: bool,
        initial_state: list[np.ndarray] | None = None,
        scratch: Scratch | None = None,
    ) -> Result:
        """Run over a batch; initial_state: arrays (D, N, u), h first, in the batch's columns.

        With a `scratch` the outputs live in it, until this layer's next call.
        """
        scratch = scratch or Scratch()
        shape = (len(self.weights), len(batch.lengths), self.units)
        gates: _Gates
        if isinstance(inputs, Tokens):
            gates = _TokenGates(self, inputs, batch, scratch)
        else:
            gates = _FeatureGates(self, inputs, batch, scratch)
        states = [gates.state, *([np.zeros(shape, self.weights.dtype)] * (self.cell == "lstm"))]
        for state, given in zip(states, initial_state or [], strict=False):
            state[...] = given
        outputs = None
        if return_sequences:
            name = ("outputs", id(self))
            outputs = scratch.array(name, (shape[0], batch.steps, *shape[1:]), self.weights.dtype)
            if not batch.is_full:
                outputs[...] = 0  # past the columns' ends, for who computes with the whole array
        _STEPPERS[self.cell](self, gates, batch.running.tolist(), states, outputs)
        return Result(outputs, states)


def _rows(cell: Cell, weights: Weights, reset_after: bool) -> tuple[np.ndarray, np.ndarray | None]:
    """Stack what multiplies [x, h, 1]: (F + u + 1, G u), and a GRU's candidate if it resets before.

    A GRU's candidate needs its two parts apart: the inputs' stands third among the columns, with
    zeros for the state, and after it, if the reset follows the product, the state's with zeros for
    the inputs.
    """
    kernel, recurrent = (_by_gate(cell, matrix) for matrix in weights[:2])
    units = recurrent.shape[0]
    biases = np.zeros((2, kernel.shape[1]), kernel.dtype)
    if weights.bias is not None:
        given = _by_gate(cell, np.atleast_2d(weights.bias))
        biases[: len(given)] = given
    if cell == "lstm":
        recurrent = recurrent * recurrent.dtype.type(0.5)  # the state is 2 h
    if cell != "gru":
        return np.concatenate([kernel, recurrent, biases[:1]]), None
    gates = np.s_[:, : 2 * units]
    ours, bias, candidate = recurrent.copy(), biases[:1].copy(), recurrent[:, 2 * units :]
    ours[:, 2 * units :] = 0
    bias[gates] += biases[1:][gates]
    rows = np.concatenate([kernel, ours, bias])
    if not reset_after:
        return rows, candidate
    nothing = np.zeros((len(kernel), units), kernel.dtype)
    return np.hstack([rows, np.concatenate([nothing, candidate, biases[1:, 2 * units :]])]), None


def _split(rows: np.ndarray, units: int) -> np.ndarray:
    """Split gates that stand side by side: (rows, G u) to (G, rows, u)."""
    return np.stack(np.split(rows, rows.shape[1] // units, axis=1))


def _by_gate(cell: Cell, matrix: np.ndarray) -> np.ndarray:
    """Put the columns (rows, G u) in our order, scaled."""
    order, factors = _GATES[cell]
    gates = np.split(matrix, len(order), axis=-1)
    scaled = [gates[gate] * matrix.dtype.type(f) for gate, f in zip(order, factors, strict=True)]
    return np.concatenate(scaled, axis=-1)


class _Gates(Protocol):
    """What a step begins with, for either kind of input.

    `state` (D, N, u) is where the step before has written h, zeros at first.
    """

    state: np.ndarray

    def cut(self, running: int) -> np.ndarray:
        """Return where the gates of the running columns come to stand: (D, G, running, u)."""
        ...

    def fill(self, step: int) -> None:
        """Compute x W + h U + b of a step there."""
        ...


class _TokenGates:
    """Gates whose inputs' part is looked up, a block of steps ahead."""

    def __init__(self, layer: Recurrent, inputs: Tokens, batch: Ragged, scratch: Scratch) -> None:
        directions, gates, _, units = layer.weights.shape
        columns, dtype = len(batch.lengths), layer.weights.dtype
        self.state = np.zeros((directions, columns, units), dtype)
        self._inputs, self._steps = inputs, batch.steps
        self._weights = layer.weights[:, :, layer.features : -1]
        self._work = scratch.array("gates", (directions, gates, columns, units), dtype)
        self._ahead = min(max(BLOCK // max(self._work.size, 1), 1), max(batch.steps, 1))
        self._found = scratch.array("found", (self._ahead, *self._work.shape), dtype)

    def cut(self, running: int) -> np.ndarray:
        """Return where the gates of the running columns come to stand."""
        self._rows = self.state[:, None, :running]
        self._z = self._work[:, :, :running]
        self._now = self._found[:, :, :, :running]
        return self._z

    def fill(self, step: int) -> None:
        """Compute x W + h U + b of a step there."""
        behind = step % self._ahead
        if behind == 0:
            self._look_up(slice(step, min(step + self._ahead, self._steps)))
        multiply(self._rows, self._weights, self._z)
        np.add(self._z, self._now[behind], out=self._z)

    def _look_up(self, steps: slice) -> None:
        running = self._z.shape[2]
        for direction, (rows, ids) in enumerate(zip(*self._inputs, strict=True)):
            for found, row in zip(self._found[:, direction], ids[steps], strict=False):
                np.take(rows, row[:running], axis=1, out=found[:, :running], mode="clip")


class _FeatureGates:
    """Gates of one product of rows [x, h, 1]."""

    def __init__(self, layer: Recurrent, inputs: Features, batch: Ragged, scratch: Scratch) -> None:
        directions, gates, rows, units = layer.weights.shape
        columns, dtype = len(batch.lengths), layer.weights.dtype
        self._joined = scratch.array("joined", (directions, columns, rows), dtype)
        self._joined[...] = 0
        self._joined[..., -1] = 1
        self.state = self._joined[..., layer.features : -1]
        self._weights = layer.weights
        self._work = scratch.array("gates", (directions, gates, columns, units), dtype)
        self._places = []
        for joined, parts in zip(self._joined, inputs.parts, strict=True):
            start = 0
            for part in parts:
                stop = start + part.shape[-1]
                self._places.append((joined[:, start:stop], part))
                start = stop

    def cut(self, running: int) -> np.ndarray:
        """Return where the gates of the running columns come to stand."""
        self._rows = self._joined[:, None, :running]
        self._z = self._work[:, :, :running]
        self._now = [(place[:running], part[:, :running]) for place, part in self._places]
        return self._z

    def fill(self, step: int) -> None:
        """Compute x W + h U + b of a step there."""
        for place, part in self._now:
            place[...] = part[step]
        multiply(self._rows, self._weights, self._z)


def _run_simple_rnn(
    _: Recurrent,
    gates: _Gates,
    running: list[int],
    states: list[np.ndarray],
    outputs: np.ndarray | None,
) -> None:
    """Step h' = tanh(x W + b + h U)."""
    (h,) = states
    columns = -1
    for step, count in enumerate(running):
        if count != columns:
            columns = count
            z, state = gates.cut(columns)[:, 0], h[:, :columns]
        gates.fill(step)
        np.tanh(z, out=state)
        if outputs is not None:
            outputs[:, step, :columns] = state


def _run_lstm(
    _: Recurrent,
    gates: _Gates,
    running: list[int],
    states: list[np.ndarray],
    outputs: np.ndarray | None,
) -> None:
    """Step c' = f c + i g, h' = o tanh(c'), with (i, f, o) = sigmoid(z), g = tanh(z)."""
    h, c = states
    h *= 2
    hidden = np.empty_like(c)
    columns = -1
    for step, count in enumerate(running):
        if count != columns:
            columns = count
            z = gates.cut(columns)
            sigmoids = z[:, :3]
            doubled_i, doubled_f, doubled_o, g = (z[:, gate] for gate in range(4))
            state, cell, squashed = (array[:, :columns] for array in (h, c, hidden))
        gates.fill(step)
        np.tanh(z, out=z)
        np.add(sigmoids, 1, out=sigmoids)  # 2 i, 2 f, 2 o
        np.multiply(cell, doubled_f, out=cell)
        np.multiply(g, doubled_i, out=g)
        np.add(cell, g, out=cell)
        np.multiply(cell, 0.5, out=cell)
        np.tanh(cell, out=squashed)
        np.multiply(doubled_o, squashed, out=state)
        if outputs is not None:
            np.multiply(state, 0.5, out=outputs[:, step, :columns])
    h *= 0.5


def _run_gru(
    layer: Recurrent,
    gates: _Gates,
    running: list[int],
    states: list[np.ndarray],
    outputs: np.ndarray | None,
) -> None:
    """Step h' = z h + (1 - z) hh, with (z, r) = sigmoid; r acts after the product, or before it.

    reset_after: hh = tanh(x W + b + r (h U + b')); otherwise hh = tanh(x W + b + (r h) U).
    """
    (h,) = states
    columns = -1
    for step, count in enumerate(running):
        if count != columns:
            columns = count
            work, state = gates.cut(columns), h[:, :columns]
            sigmoids = work[:, :2]
            update, reset, candidate = (work[:, gate] for gate in range(3))
        gates.fill(step)
        np.tanh(sigmoids, out=sigmoids)
        np.add(sigmoids, 1, out=sigmoids)
        np.multiply(sigmoids, 0.5, out=sigmoids)
        if layer.candidate is None:
            np.multiply(reset, work[:, 3], out=reset)
            np.add(candidate, reset, out=candidate)
        else:
            np.add(candidate, np.matmul(reset * state, layer.candidate), out=candidate)
        np.tanh(candidate, out=candidate)
        np.subtract(state, candidate, out=state)
        np.multiply(state, update, out=state)
        np.add(state, candidate, out=state)
        if outputs is not None:
            outputs[:, step, :columns] = state


_STEPPERS = {"simple_rnn": _run_simple_rnn, "lstm": _run_lstm, "gru": _run_gru}
