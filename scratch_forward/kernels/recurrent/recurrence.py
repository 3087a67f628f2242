"""SimpleRNN, LSTM and GRU over ragged, time-major batches. Both directions share each step.

Axes: D directions (1, or 2 for Bidirectional), G gates, S steps, N sequences of the batch, F
features, u units. A step is one matrix product per gate and a few calls on whole arrays:

- The input, the state and a constant 1 are concatenated to rows [x, h, 1], so that one product
  computes x W + h U + b. For token ids from an Embedding, x W + b is looked up in a table instead,
  the product of the embedding matrix and W, computed once per model.
- sigmoid(z) = (1 + tanh(z / 2)) / 2, so a single tanh computes all gates. The factors of one half
  are folded into the weights. The state of the LSTM is kept as 2 h, which saves a pass over the
  array. Powers of two are exact.
- Sequences that have ended are skipped. `Ragged` sorts them to the end.

Only the default activations (tanh, sigmoid) are supported.
"""

from dataclasses import dataclass
from functools import cached_property
from typing import NamedTuple, Self

import numpy as np

from scratch_forward.kernels.recurrent.gates import (
    FeatureGates,
    Features,
    ProjectedGates,
    Shape,
    SingleGates,
    TokenGates,
    Tokens,
    inputs_ahead,
    side_by_side,
)
from scratch_forward.kernels.recurrent.ragged import Ragged
from scratch_forward.kernels.recurrent.step_loops import STEPPERS, Cell, Gates, Step
from scratch_forward.kernels.runtime.workspace import Workspace

FEW_SEQUENCES = 4  # up to this many, reading the weights dominates the time of a step's product


# Order of the gates, by their number in Keras, with the sigmoid gates first. The second tuple
# contains the factor of each gate: one half for a sigmoid.
_GATES: dict[Cell, tuple[tuple[int, ...], tuple[float, ...]]] = {
    "simple_rnn": ((0,), (1.0,)),
    "lstm": ((3, 0, 1, 2), (0.5, 0.5, 0.5, 1.0)),  # Keras: i, f, c, o
    "gru": ((0, 1, 2), (0.5, 0.5, 1.0)),  # Keras: z, r, h
}


class Weights(NamedTuple):
    """Weights of one direction in the format of Keras, with G gates."""

    kernel: np.ndarray  # array (features, G u)
    recurrent_kernel: np.ndarray  # array (u, G u)
    # array (G u,) or None. For a GRU with `reset_after`, (2, G u): input bias, state bias.
    bias: np.ndarray | None


class Result(NamedTuple):
    """The result of a layer.

    Outputs are in processing order: the first output of the second direction belongs to the last
    step. Outputs past the end of a sequence are arbitrary.
    """

    outputs: np.ndarray | None  # outputs of all steps (D, S, N, u), or None
    states: list[np.ndarray]  # final states, arrays (D, N, u), h first


@dataclass(frozen=True)
class Recurrent:
    """The weights of a recurrent layer, reordered and scaled for the product."""

    cell: Cell
    units: int
    weights: np.ndarray  # (D, G, F + u + 1, u): rows for the input, the state and the bias
    candidate: np.ndarray | None  # (D, u, u): for the reset state of a GRU without `reset_after`

    @classmethod
    def prepare(cls, cell: Cell, directions: list[Weights], *, reset_after: bool = True) -> Self:
        """Reorder and scale the weights of a layer with one or two directions."""
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
        """Number of layers: 1, unlike a `Wavefront`."""
        return 1

    @property
    def terms(self) -> int:
        """Number of terms in the dot product of each gate element."""
        return self.weights.shape[2]

    @property
    def gates_of_a_step(self) -> int:
        """Number of gate elements per sequence and step."""
        return self.weights[:, :, 0].size

    @property
    def features(self) -> int:
        """Number of input features."""
        return self.weights.shape[2] - self.units - 1

    @property
    def of_inputs(self) -> np.ndarray:
        """The weights of the input: (D, G, F, u)."""
        return self.weights[:, :, : self.features]

    @property
    def of_state(self) -> np.ndarray:
        """The weights of the state: (D, G, u, u)."""
        return self.weights[:, :, self.features : -1]

    @cached_property
    def _terms(self) -> list[tuple[slice, np.ndarray]]:
        """Per direction, its part of the states (D u,) and the weights of its state, (u, G u)."""
        units = self.units
        parts = [slice(d * units, (d + 1) * units) for d in range(self.directions)]
        return list(zip(parts, side_by_side(self.of_state), strict=True))

    def look_up_table(self, embeddings: np.ndarray) -> np.ndarray:
        """Return x W + b of every row of `embeddings` (V, features): (G, D V, u), by direction."""
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
        """Run the layer over a batch.

        Args:
            initial_state: Arrays (D, N, u), h first, in the order of `batch`. Defaults to zeros.
            workspace: Buffers to reuse. The outputs are then valid until the layer's next call.
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
                outputs[...] = 0  # past the sequences' ends, for readers of the whole array
        schedule = Step.schedule((0, len(self.weights), count) for count in batch.running.tolist())
        STEPPERS[self.cell](gates, schedule, outputs, self.candidate)
        return Result(outputs, gates.states)

    def _gates(self, inputs: Tokens | Features, sequences: int, workspace: Workspace) -> Gates:
        lanes, gates, _, units = self.weights.shape
        shape = Shape(lanes, gates, int(self.cell == "lstm"), sequences, units)
        if sequences == 1:
            ahead = inputs_ahead(self.weights, inputs)
            return SingleGates(shape, self._terms, ahead, workspace)
        if isinstance(inputs, Features):
            kind = ProjectedGates if sequences <= FEW_SEQUENCES else FeatureGates
            return kind(shape, self.weights, inputs, workspace)
        return TokenGates(shape, self.of_state, inputs, workspace)


def _rows(cell: Cell, weights: Weights, reset_after: bool) -> tuple[np.ndarray, np.ndarray | None]:
    """Stack the weights of [x, h, 1], (F + u + 1, G u). Returns also a GRU's candidate weights.

    The candidate weights are None unless a GRU resets the state before the product. The candidate
    gate of a GRU needs its two parts separately. The part of the input is the third block of
    columns, with zeros for the state. With `reset_after`, the part of the state follows as a fourth
    block, with zeros for the input.
    """
    kernel, recurrent = (_by_gate(cell, matrix) for matrix in weights[:2])
    units = recurrent.shape[0]
    biases = np.zeros((2, kernel.shape[1]), kernel.dtype)
    if weights.bias is not None:
        given = _by_gate(cell, np.atleast_2d(weights.bias))
        biases[: len(given)] = given
    if cell == "lstm":
        recurrent = recurrent * recurrent.dtype.type(0.5)  # because the state is 2 h
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
    """Split gates that are side by side: (rows, G u) to (G, rows, u)."""
    return np.stack(np.split(rows, rows.shape[1] // units, axis=1))


def _by_gate(cell: Cell, matrix: np.ndarray) -> np.ndarray:
    """Reorder and scale the columns of a matrix (rows, G u) by `_GATES`."""
    order, factors = _GATES[cell]
    gates = np.split(matrix, len(order), axis=-1)
    scaled = [gates[gate] * matrix.dtype.type(f) for gate, f in zip(order, factors, strict=True)]
    return np.concatenate(scaled, axis=-1)
