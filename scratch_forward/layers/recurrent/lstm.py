"""Long short-term memory: the cell and the layer."""

from __future__ import annotations

import numpy as np

from scratch_forward.activations import Activation as ActivationFunction
from scratch_forward.layers.base import Array
from scratch_forward.layers.options import activation_option, boolean
from scratch_forward.layers.recurrent.cell import Cell, States
from scratch_forward.layers.recurrent.dropout_masks import NOTHING_DROPPED, DropoutMasks, product
from scratch_forward.layers.recurrent.rnn import RNN


class LSTMCell(Cell):
    """Long short-term memory, with gates in the order input, forget, candidate, output.

    `z = x @ kernel + bias + h @ recurrent_kernel`, split into `zi, zf, zc, zo`;
    `c' = s(zf) * c + s(zi) * activation(zc)`; `h' = s(zo) * activation(c')`, where s is the
    recurrent activation. The states are h and c.

    Shapes: x `(N, features)`, h and c `(N, units)`; kernel `(features, 4 units)`, recurrent kernel
    `(units, 4 units)`, bias `(4 units,)`. The stored bias includes `unit_forget_bias`.

    Source: Hochreiter & Schmidhuber 1997, with the forget gate of Gers et al. 2000.
    """

    gates = 4
    state_count = 2

    def __init__(
        self,
        units: int,
        activation: str | ActivationFunction | None = "tanh",
        recurrent_activation: str | ActivationFunction | None = "sigmoid",
        use_bias: bool = True,
        unit_forget_bias: bool = True,
        dropout: float = 0.0,
        recurrent_dropout: float = 0.0,
        seed: int | None = None,
        name: str | None = None,
    ) -> None:
        super().__init__(units, activation, use_bias, dropout, recurrent_dropout, name)
        self.recurrent_activation = activation_option("recurrent_activation", recurrent_activation)
        self.unit_forget_bias = boolean("unit_forget_bias", unit_forget_bias)
        self.seed = seed

    def advance(
        self, projected: Array, states: States, masks: DropoutMasks = NOTHING_DROPPED
    ) -> States:
        """Compute the next h and c."""
        h, c = states
        z = product(h, self.weights["recurrent_kernel"], masks.states)
        z += projected
        zi, zf, zc, zo = np.split(z, 4, axis=-1)
        gate = self.recurrent_activation
        c = gate(zf) * c + gate(zi) * self.activation(zc)
        return [gate(zo) * self.activation(c), c]


class LSTM(RNN):
    """Long short-term memory (Hochreiter & Schmidhuber 1997). States: h, the output, and c.

    Shapes: `(N, T, features)` to `(N, units)`, or to `(N, T, units)` with `return_sequences`. See
    `LSTMCell` for equations and weights, and `RNN` for states, masks and other options.
    """

    def __init__(
        self,
        units: int,
        activation: str | ActivationFunction | None = "tanh",
        recurrent_activation: str | ActivationFunction | None = "sigmoid",
        use_bias: bool = True,
        unit_forget_bias: bool = True,
        dropout: float = 0.0,
        recurrent_dropout: float = 0.0,
        seed: int | None = None,
        return_sequences: bool = False,
        return_state: bool = False,
        go_backwards: bool = False,
        stateful: bool = False,
        unroll: bool = False,
        zero_output_for_mask: bool = False,
        name: str | None = None,
    ) -> None:
        cell = LSTMCell(
            units,
            activation,
            recurrent_activation,
            use_bias,
            unit_forget_bias,
            dropout,
            recurrent_dropout,
            seed,
        )
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
