"""SimpleRNN, LSTM and GRU over ragged, time-major batches; both directions in the same step.

Axes: D directions (1, or 2 for Bidirectional), G gates, S steps, N sequences of the batch, F
features, u units. A step is one matrix product for each gate and a few calls on whole arrays:

- Inputs, state and a one stand side by side in the rows that are multiplied, [x, h, 1], so the
  product is x W + h U + b. For token ids straight from an Embedding x W + b is looked up instead:
  embedding matrix times W, once per model.
- sigmoid(z) = (1 + tanh(z / 2)) / 2, so one tanh serves all gates; the halves are folded into the
  weights. The LSTM keeps 2 h, which saves a pass (exact: powers of two).
- Sequences that have ended are left out: `Ragged` sorts them to the end.

The default activations (tanh, sigmoid) only.
"""

from dataclasses import dataclass
from typing import NamedTuple, Self

import numpy as np

from scratch_forward.kernels.recurrent.cell_steps import STEPPERS, Cell, Gates, Step
from scratch_forward.kernels.recurrent.gates import (
    FeatureGates,
    Features,
    ProjectedGates,
    Shape,
    TokenGates,
    Tokens,
)
from scratch_forward.kernels.recurrent.ragged import Ragged
from scratch_forward.kernels.runtime.workspace import Workspace

FEW_SEQUENCES = 4  # up to here a step's product takes the time of reading its weights

# Keras' order of gates -> ours, sigmoids first; and the factor of each: half before a sigmoid.
_GATES: dict[Cell, tuple[tuple[int, ...], tuple[float, ...]]] = {
    "simple_rnn": ((0,), (1.0,)),
    "lstm": ((3, 0, 1, 2), (0.5, 0.5, 0.5, 1.0)),  # Keras: i, f, c, o
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


class Result(NamedTuple):
    """What a layer computed: every output (D, S, N, u) or None, and the states [(D, N, u), ...].

    Outputs are in processing order: the second direction's first output is of the last step. Those
    past a sequence's end are anything.
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
    def directions(self) -> int:
        """1, or 2 for a bidirectional layer."""
        return len(self.weights)

    @property
    def depth(self) -> int:
        """One layer, as opposed to a `Wavefront`."""
        return 1

    @property
    def terms(self) -> int:
        """Terms of the product that each number of the gates is."""
        return self.weights.shape[2]

    @property
    def gates_of_a_step(self) -> int:
        """Numbers that the gates of one sequence have in a step."""
        return self.weights[:, :, 0].size

    @property
    def features(self) -> int:
        """Size of an input."""
        return self.weights.shape[2] - self.units - 1

    @property
    def of_inputs(self) -> np.ndarray:
        """The rows of the inputs: (D, G, F, u)."""
        return self.weights[:, :, : self.features]

    @property
    def of_state(self) -> np.ndarray:
        """The rows of the state: (D, G, u, u)."""
        return self.weights[:, :, self.features : -1]

    def look_up_table(self, embeddings: np.ndarray) -> np.ndarray:
        """Project every row of embeddings (V, features): (G, D V, u), a direction after another."""
        directions, gates, _, units = self.weights.shape
        table = np.empty((gates, directions, len(embeddings), units), self.weights.dtype)
        np.matmul(embeddings, self.of_inputs.swapaxes(0, 1), out=table)
        table += self.weights[:, :, -1:].swapaxes(0, 1)
        return table.reshape(gates, -1, units)

    def run(
        self,
        inputs: Tokens | Features,
        batch: Ragged,
        *,
        return_sequences: bool,
        initial_state: list[np.ndarray] | None = None,
        workspace: Workspace | None = None,
    ) -> Result:
        """Run over a batch; initial_state: arrays (D, N, u), h first, in the batch's order.

        With a `workspace` the outputs live in it, until this layer's next call.
        """
        workspace = workspace or Workspace()
        gates = self._gates(inputs, len(batch.lengths), workspace)
        for state, given in zip(gates.states, initial_state or [], strict=False):
            state[...] = given
        outputs = None
        if return_sequences:
            shape = (len(self.weights), batch.steps, len(batch.lengths), self.units)
            outputs = workspace.array(("outputs", id(self)), shape, self.weights.dtype)
            if not batch.is_full:
                outputs[...] = 0  # past the sequences' ends, for who computes with the whole array
        schedule = [Step(0, len(self.weights), count) for count in batch.running.tolist()]
        STEPPERS[self.cell](gates, schedule, outputs, self.candidate)
        return Result(outputs, gates.states)

    def _gates(self, inputs: Tokens | Features, sequences: int, workspace: Workspace) -> Gates:
        lanes, gates, _, units = self.weights.shape
        shape = Shape(lanes, gates, int(self.cell == "lstm"), sequences, units)
        if isinstance(inputs, Features):
            kind = ProjectedGates if sequences <= FEW_SEQUENCES else FeatureGates
            return kind(shape, self.weights, inputs, workspace)
        return TokenGates(shape, self.of_state, inputs, workspace)


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
