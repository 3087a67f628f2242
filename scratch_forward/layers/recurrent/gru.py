"""The gated recurrent unit: the cell and the layer."""

from __future__ import annotations

import numpy as np

from scratch_forward.activations import Activation as ActivationFunction
from scratch_forward.layers.base import Array
from scratch_forward.layers.options import activation_option, boolean
from scratch_forward.layers.recurrent.cell import Cell, States
from scratch_forward.layers.recurrent.dropout_masks import NOTHING_DROPPED, DropoutMasks, product
from scratch_forward.layers.recurrent.rnn import RNN


class GRUCell(Cell):
    """Gated recurrent unit (arXiv:1406.1078), with gates in the order update, reset, candidate.

    `z = s(xz + h @ Uz)`, `r = s(xr + h @ Ur)`, `h' = z * h + (1 - z) * c`, where s is the recurrent
    activation. The candidate is `c = activation(xc + r * (h @ Uc + b))` with `reset_after`, else
    `c = activation(xc + (r * h) @ Uc)`.

    Shapes: x `(N, features)`, h `(N, units)`; kernel `(features, 3 units)`, recurrent kernel
    `(units, 3 units)`. The bias is `(2, 3 units)`, an input row and a recurrent row, or
    `(3 units,)` without `reset_after`.
    """

    gates = 3

    def __init__(
        self,
        units: int,
        activation: str | ActivationFunction | None = "tanh",
        recurrent_activation: str | ActivationFunction | None = "sigmoid",
        use_bias: bool = True,
        dropout: float = 0.0,
        recurrent_dropout: float = 0.0,
        reset_after: bool = True,
        seed: int | None = None,
        name: str | None = None,
    ) -> None:
        super().__init__(units, activation, use_bias, dropout, recurrent_dropout, name)
        self.recurrent_activation = activation_option("recurrent_activation", recurrent_activation)
        self.reset_after = boolean("reset_after", reset_after)
        self.seed = seed

    def bias_shape(self) -> tuple[int, ...]:
        """Return `(2, 3 units)`, or `(3 units,)` without `reset_after`."""
        return (2, 3 * self.units) if self.reset_after else (3 * self.units,)

    def input_bias(self) -> Array:
        """Return the input row of the bias."""
        return self.weights["bias"][0] if self.reset_after else self.weights["bias"]

    def advance(
        self, projected: Array, states: States, masks: DropoutMasks = NOTHING_DROPPED
    ) -> States:
        """Compute the next h."""
        (h,) = states
        xz, xr, xc = np.split(projected, 3, axis=-1)
        gate = self.recurrent_activation
        if self.reset_after:
            inner = product(h, self.weights["recurrent_kernel"], masks.states)
            if self.use_bias:
                inner += self.weights["bias"][1]
            hz, hr, hc = np.split(inner, 3, axis=-1)
            z = gate(xz + hz)
            candidate = self.activation(xc + gate(xr + hr) * hc)
        else:
            uz_ur, uc = np.split(self.weights["recurrent_kernel"], [2 * self.units], axis=1)
            hz, hr = np.split(product(h, uz_ur, masks.states and masks.states[:2]), 2, axis=-1)
            z = gate(xz + hz)
            reset = gate(xr + hr) * h
            candidate = self.activation(xc + product(reset, uc, masks.states and masks.states[2:]))
        return [z * h + (1 - z) * candidate]


class GRU(RNN):
    """Gated recurrent unit (arXiv:1406.1078).

    Shapes: `(N, T, features)` to `(N, units)`, or to `(N, T, units)` with `return_sequences`. See
    `GRUCell` for equations and weights, and `RNN` for states, masks and other options.
    """

    def __init__(
        self,
        units: int,
        activation: str | ActivationFunction | None = "tanh",
        recurrent_activation: str | ActivationFunction | None = "sigmoid",
        use_bias: bool = True,
        dropout: float = 0.0,
        recurrent_dropout: float = 0.0,
        seed: int | None = None,
        return_sequences: bool = False,
        return_state: bool = False,
        go_backwards: bool = False,
        stateful: bool = False,
        unroll: bool = False,
        reset_after: bool = True,
        zero_output_for_mask: bool = False,
        name: str | None = None,
    ) -> None:
        cell = GRUCell(
            units,
            activation,
            recurrent_activation,
            use_bias,
            dropout,
            recurrent_dropout,
            reset_after,
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
