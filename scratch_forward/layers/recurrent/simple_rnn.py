"""The simple recurrent layer: a cell with one state and no gates, and its layer."""

from __future__ import annotations

from scratch_forward.activations import Activation as ActivationFunction
from scratch_forward.layers.base import Array
from scratch_forward.layers.recurrent.cell import Cell, States
from scratch_forward.layers.recurrent.dropout_masks import NOTHING_DROPPED, DropoutMasks, product
from scratch_forward.layers.recurrent.rnn import RNN


class SimpleRNNCell(Cell):
    """`h' = activation(x @ kernel + bias + h @ recurrent_kernel)` (Elman 1990).

    Shapes: x `(N, features)`, h `(N, units)`; kernel `(features, units)`, recurrent kernel
    `(units, units)`, bias `(units,)`.
    """

    gates = 1

    def __init__(
        self,
        units: int,
        activation: str | ActivationFunction | None = "tanh",
        use_bias: bool = True,
        dropout: float = 0.0,
        recurrent_dropout: float = 0.0,
        seed: int | None = None,
        name: str | None = None,
    ) -> None:
        super().__init__(units, activation, use_bias, dropout, recurrent_dropout, name)
        self.seed = seed

    def advance(
        self, projected: Array, states: States, masks: DropoutMasks = NOTHING_DROPPED
    ) -> States:
        """Compute the next state."""
        z = product(states[0], self.weights["recurrent_kernel"], masks.states)
        z += projected
        return [self.activation(z)]


class SimpleRNN(RNN):
    """`h[t] = activation(x[t] @ kernel + bias + h[t - 1] @ recurrent_kernel)` (Elman 1990).

    Shapes: `(N, T, features)` to `(N, units)`, or to `(N, T, units)` with `return_sequences`. See
    `SimpleRNNCell` for the weights, and `RNN` for states, masks and other options.
    """

    def __init__(
        self,
        units: int,
        activation: str | ActivationFunction | None = "tanh",
        use_bias: bool = True,
        dropout: float = 0.0,
        recurrent_dropout: float = 0.0,
        return_sequences: bool = False,
        return_state: bool = False,
        go_backwards: bool = False,
        stateful: bool = False,
        unroll: bool = False,
        zero_output_for_mask: bool = False,
        seed: int | None = None,
        name: str | None = None,
    ) -> None:
        cell = SimpleRNNCell(units, activation, use_bias, dropout, recurrent_dropout, seed)
        super().__init__(
            cell,
            return_sequences,
            return_state,
            go_backwards,
            stateful,
            unroll,
            zero_output_for_mask,
            name,
        )
