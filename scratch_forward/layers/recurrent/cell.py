"""Base class of recurrent cells: projection, states, dropout, and single steps."""

from __future__ import annotations

from typing import Any, ClassVar

import numpy as np

from scratch_forward.activations import Activation as ActivationFunction
from scratch_forward.layers.base import Array, Generator, Layer, Shape
from scratch_forward.layers.options import activation_option, boolean, number, positive
from scratch_forward.layers.recurrent.dropout_masks import NOTHING_DROPPED, DropoutMasks, product
from scratch_forward.layers.regularization import inverted_dropout

States = list[Array]


class Cell(Layer):
    """One step of a recurrent layer.

    Attributes:
        units: Size of the output and of each state.
        gates: Number of blocks of `units` columns in the kernels.
        state_count: Number of states. The first is the previous output.
    """

    gates: ClassVar[int]
    state_count: ClassVar[int] = 1

    def __init__(
        self,
        units: int,
        activation: str | ActivationFunction | None,
        use_bias: bool,
        dropout: float,
        recurrent_dropout: float,
        name: str | None,
    ) -> None:
        super().__init__(name)
        self.units = positive("units", units)
        self.activation = activation_option("activation", activation)
        self.use_bias = boolean("use_bias", use_bias)
        self.dropout = number("dropout", dropout, 0, 1)
        self.recurrent_dropout = number("recurrent_dropout", recurrent_dropout, 0, 1)

    @property
    def output_size(self) -> int:
        """Size of the output."""
        return self.units

    @property
    def output_index(self) -> int:
        """Index of the state that is the output."""
        return 0

    def bias_shape(self) -> tuple[int, ...]:
        """Return the shape of the bias."""
        return (self.gates * self.units,)

    def weight_shapes(self, input_shape: Shape) -> dict[str, Any]:
        """Return the shapes of both kernels and the bias."""
        width = self.gates * self.units
        kernels = {"kernel": (input_shape[-1], width), "recurrent_kernel": (self.units, width)}
        return kernels | ({"bias": self.bias_shape()} if self.use_bias else {})

    def compute_output_shape(self, input_shape: Shape) -> Shape:
        """Return `(N, units)`."""
        return (input_shape[0], self.units)

    def get_initial_state(self, batch_size: int) -> States:
        """Return zero states, each `(N, units)`."""
        return [np.zeros((batch_size, self.units), self.dtype) for _ in range(self.state_count)]

    def draw_masks(self, batch: int, features: int, generator: Generator) -> DropoutMasks:
        """Draw dropout masks. With recurrent dropout, every gate has its own masks."""
        count = self.gates if self.recurrent_dropout else 1

        def draw(rate: float, size: int) -> list[Array] | None:
            if not 0 < rate < 1:
                return None
            ones = np.ones((batch, size), self.dtype)
            return [inverted_dropout(ones, rate, generator) for _ in range(count)]

        return DropoutMasks(draw(self.dropout, features), draw(self.recurrent_dropout, self.units))

    def project(self, inputs: Array, masks: DropoutMasks = NOTHING_DROPPED) -> Array:
        """Multiply the inputs of one step, or of all steps, by the kernel and add the bias.

        Args:
            inputs: `(N, features)` or `(N, T, features)`.
            masks: Dropout masks.

        Returns:
            `(N, gates * units)` or `(N, T, gates * units)`.
        """
        over_time = masks.inputs and [
            mask[:, None] if inputs.ndim == 3 else mask for mask in masks.inputs
        ]
        projected = product(inputs, self.weights["kernel"], over_time)
        if self.use_bias:
            projected += self.input_bias()
        return projected

    def input_bias(self) -> Array:
        """Return the part of the bias that is added to the projected input."""
        return self.weights["bias"]

    def advance(
        self, projected: Array, states: States, masks: DropoutMasks = NOTHING_DROPPED
    ) -> States:
        """Compute the next states from the projected input of one step.

        Args:
            projected: `(N, gates * units)`.
            states: Previous states, each `(N, units)`.
            masks: Dropout masks.

        Returns:
            The next states. The first is the output.
        """
        raise NotImplementedError

    def __call__(self, inputs: Any, states: Any = None) -> tuple[Array, States]:  # type: ignore[override]
        """Compute one step, for streaming.

        Args:
            inputs: Input of the step, `(N, features)`.
            states: States after the previous step, each `(N, units)`. Defaults to zeros.

        Returns:
            The output `(N, units)` and the states after this step.
        """
        return step_once(self, inputs, states)


def step_once(cell: Any, inputs: Any, states: Any) -> tuple[Array, States]:
    """Compute one step of a cell from raw inputs. The cell is built if necessary."""
    batch = cell.convert(inputs)
    if not cell.built:
        cell.build((None, batch.shape[-1]))
    cell.require_weights()
    before = cell.get_initial_state(len(batch)) if states is None else cell.convert(states)
    after = cell.advance(cell.project(batch), before)
    return after[cell.output_index], after
