"""SimpleRNN, LSTM and GRU over ragged, time-major batches; both directions in the same step.

Axes: D directions (1, or 2 for Bidirectional), G gates, S steps, N columns of the batch, u units.
Each step is one matrix product and a few whole-array calls:

- The inputs' part, x W + b, is computed for blocks of steps ahead. For token ids straight from an
  Embedding it is a look-up: embedding matrix times W, once per model.
- sigmoid(z) = (1 + tanh(z / 2)) / 2, so one tanh serves all gates; the halves are folded into the
  weights. States are kept as 2 h where that saves a pass (exact: powers of two).
- Columns that have ended are left out: `Ragged` sorts them to the end.

The default activations (tanh, sigmoid) only.
"""

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Literal, NamedTuple, Self

import numpy as np

from scratch_forward.kernels.sequences import Ragged

Cell = Literal["simple_rnn", "lstm", "gru"]

BLOCK = 1 << 18  # elements of projected inputs computed ahead: what stays in cache

# Keras' order of gates -> ours, sigmoids first; and the factor of each: half before a sigmoid.
_GATES: dict[Cell, tuple[tuple[int, ...], tuple[float, ...]]] = {
    "simple_rnn": ((0,), (1.0,)),
    "lstm": ((0, 1, 3, 2), (0.5, 0.5, 0.5, 1.0)),  # Keras: i, f, c, o
    "gru": ((0, 1, 2), (0.5, 0.5, 1.0)),  # Keras: z, r, h
}


class Weights(NamedTuple):
    """One direction as Keras stores it.

    kernel: (features, G u); recurrent_kernel: (u, G u); bias: (G u,), None, or for a GRU with
    `reset_after` (2, G u): of the inputs, of the state.
    """

    kernel: np.ndarray
    recurrent_kernel: np.ndarray
    bias: np.ndarray | None


class Result(NamedTuple):
    """What a layer computed: every output (D, S, N, u) or None, and the states [(D, N, u), ...].

    Outputs are in processing order: the second direction's first output is of the last step.
    """

    outputs: np.ndarray | None
    states: list[np.ndarray]


@dataclass(frozen=True)
class Recurrent:
    """A recurrent layer's weights, split by gate and scaled."""

    cell: Cell
    kernel: np.ndarray  # (D, G, features, u)
    recurrent_kernel: np.ndarray  # (D, G, u, u)
    bias: np.ndarray  # (D, G, 1, u)
    recurrent_bias: np.ndarray  # (D, G, 1, u), added to the product with the state: GRU only
    reset_after: bool = True

    @classmethod
    def prepare(cls, cell: Cell, directions: list[Weights], *, reset_after: bool = True) -> Self:
        """Split and scale the weights of a layer of one direction, or of two."""
        kernels = np.stack([_by_gate(cell, weights.kernel) for weights in directions])
        recurrent = np.stack([_by_gate(cell, weights.recurrent_kernel) for weights in directions])
        biases = np.stack([_biases(cell, weights) for weights in directions])
        state_scale = 0.5 if cell == "lstm" else 1.0  # the LSTM keeps 2 h
        return cls(
            cell,
            kernels,
            recurrent * recurrent.dtype.type(state_scale),
            np.ascontiguousarray(biases[:, 0]),
            np.ascontiguousarray(biases[:, 1]),
            reset_after,
        )

    def look_up_table(self, embeddings: np.ndarray) -> np.ndarray:
        """Project every row of embeddings (V, features): (D, G, V, u)."""
        return np.matmul(embeddings, self.kernel) + self.bias

    def run(
        self,
        project: "Projection",
        batch: Ragged,
        *,
        return_sequences: bool,
        initial_state: list[np.ndarray] | None = None,
    ) -> Result:
        """Run over a batch; initial_state: arrays (D, N, u), h first, in the batch's columns."""
        directions, _, units, _ = self.recurrent_kernel.shape
        shape, dtype = (directions, len(batch.lengths), units), self.recurrent_kernel.dtype
        count = 2 if self.cell == "lstm" else 1
        states = [np.zeros(shape, dtype) for _ in range(count)]
        for state, given in zip(states, initial_state or [], strict=False):
            state[...] = given
        outputs = None
        if return_sequences:
            outputs = np.zeros((directions, batch.steps, *shape[1:]), dtype)
        steps = _blocks(project, batch, self.recurrent_kernel.shape)
        _STEPPERS[self.cell](self, steps, states, outputs)
        return Result(outputs, states)


# (step, running columns) -> x W + b of those steps, (D, G, steps, running, u)
Projection = Callable[[slice, int], np.ndarray]
Step = tuple[int, int, np.ndarray]  # number, running columns, x W + b (D, G, running, u)


def project_tokens(table: np.ndarray, tokens: list[np.ndarray]) -> Projection:
    """Look up tokens, (S, N) for each direction, ids in [0, V), in a table (D, G, V, u)."""

    def project(steps: slice, running: int) -> np.ndarray:
        directions, gates, _, units = table.shape
        count = steps.stop - steps.start
        out = np.empty((directions, gates, count, running, units), table.dtype)
        for rows, ids, found in zip(table, tokens, out, strict=True):
            np.take(rows, ids[steps, :running], axis=1, out=found, mode="clip")
        return out

    return project


def project_features(layer: Recurrent, inputs: list[np.ndarray]) -> Projection:
    """Multiply inputs, (S, N, features) for each direction, by the layer's kernel."""

    def project(steps: slice, running: int) -> np.ndarray:
        directions, gates, _, units = layer.kernel.shape
        count = steps.stop - steps.start
        out = np.empty((directions, gates, count, running, units), layer.kernel.dtype)
        for kernel, x, result in zip(layer.kernel, inputs, out, strict=True):
            np.matmul(x[None, steps, :running], kernel[:, None], out=result)
        out += np.repeat(layer.bias, running, axis=2)[:, :, None]
        return out

    return project


def _by_gate(cell: Cell, matrix: np.ndarray) -> np.ndarray:
    """Split (rows, G u) into (G, rows, u), in our order, scaled."""
    order, factors = _GATES[cell]
    gates = np.stack(np.split(matrix, len(order), axis=-1))[list(order)]
    return gates * np.array(factors, matrix.dtype)[:, None, None]


def _biases(cell: Cell, weights: Weights) -> np.ndarray:
    """Give the biases of inputs and state: (2, G, 1, u)."""
    width = weights.kernel.shape[1]
    both = np.zeros((2, 1, width), weights.kernel.dtype)
    if weights.bias is not None:
        given = np.atleast_2d(weights.bias)
        both[: len(given), 0] = given
    return np.stack([_by_gate(cell, bias) for bias in both])


def _blocks(project: Projection, batch: Ragged, shape: tuple[int, ...]) -> Iterator[Step]:
    """Yield each step with its part of the inputs' projection, computed a block of steps ahead."""
    directions, gates, units, _ = shape
    running = batch.running
    start = 0
    while start < batch.steps:
        columns = int(running[start])
        ahead = max(BLOCK // (directions * gates * units * columns), 1)
        block = slice(start, min(start + ahead, batch.steps))
        projected = project(block, columns)
        for step in range(block.start, block.stop):
            count = int(running[step])
            yield step, count, projected[:, :, step - start, :count]
        start = block.stop


def _run_simple_rnn(
    layer: Recurrent, steps: Iterator[Step], states: list[np.ndarray], outputs: np.ndarray | None
) -> None:
    """Step h' = tanh(x W + b + h U)."""
    (h,) = states
    work = np.empty_like(h)
    for step, running, projected in steps:
        state, z = h[:, :running], work[:, :running]
        np.matmul(state, layer.recurrent_kernel[:, 0], out=z)
        np.add(z, projected[:, 0], out=z)
        np.tanh(z, out=state)
        if outputs is not None:
            outputs[:, step, :running] = state


def _run_lstm(
    layer: Recurrent, steps: Iterator[Step], states: list[np.ndarray], outputs: np.ndarray | None
) -> None:
    """Step c' = f c + i g, h' = o tanh(c'), with (i, f, o) = sigmoid(z), g = tanh(z)."""
    h, c = states
    h *= 2
    work = np.empty((h.shape[0], 4, *h.shape[1:]), h.dtype)
    hidden = np.empty_like(c)
    for step, running, projected in steps:
        state, cell, z = h[:, :running], c[:, :running], work[:, :, :running]
        np.matmul(state[:, None], layer.recurrent_kernel, out=z)
        np.add(z, projected, out=z)
        np.tanh(z, out=z)
        z[:, :3] += 1  # 2 i, 2 f, 2 o
        doubled_i, doubled_f, doubled_o, g = (z[:, gate] for gate in range(4))
        cell *= doubled_f
        g *= doubled_i
        cell += g
        cell *= 0.5
        squashed = np.tanh(cell, out=hidden[:, :running])
        np.multiply(doubled_o, squashed, out=state)
        if outputs is not None:
            np.multiply(state, 0.5, out=outputs[:, step, :running])
    h *= 0.5


def _run_gru(
    layer: Recurrent, steps: Iterator[Step], states: list[np.ndarray], outputs: np.ndarray | None
) -> None:
    """Step h' = z h + (1 - z) hh, with (z, r) = sigmoid; r acts after the product, or before it.

    reset_after: hh = tanh(x W + b + r (h U + b')); otherwise hh = tanh(x W + b + (r h) U).
    """
    (h,) = states
    work = np.empty((h.shape[0], 3, *h.shape[1:]), h.dtype)
    bias = np.repeat(layer.recurrent_bias, h.shape[1], axis=2)
    for step, running, projected in steps:
        state, gates = h[:, :running], work[:, :2, :running]
        products = 3 if layer.reset_after else 2
        np.matmul(
            state[:, None], layer.recurrent_kernel[:, :products], out=work[:, :products, :running]
        )
        work[:, :products, :running] += bias[:, :products, :running]
        gates += projected[:, :2]
        _sigmoid_of_double(gates)
        z, r, candidate = (work[:, gate, :running] for gate in range(3))
        if layer.reset_after:
            candidate *= r
        else:
            np.matmul(r * state, layer.recurrent_kernel[:, 2], out=candidate)
        candidate += projected[:, 2]
        np.tanh(candidate, out=candidate)
        state -= candidate
        state *= z
        state += candidate
        if outputs is not None:
            outputs[:, step, :running] = state


def _sigmoid_of_double(z: np.ndarray) -> None:
    """Replace z by sigmoid(2 z) = (1 + tanh(z)) / 2."""
    np.tanh(z, out=z)
    z += 1
    z *= 0.5


_STEPPERS = {"simple_rnn": _run_simple_rnn, "lstm": _run_lstm, "gru": _run_gru}
