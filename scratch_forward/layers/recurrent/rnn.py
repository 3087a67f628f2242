"""The layer that runs a cell over time: states, masks, direction, statefulness.

`kernels/recurrent/` computes the same faster where `fast/` uses it.
"""

from __future__ import annotations

from typing import Any

import numpy as np

from scratch_forward.errors import InvalidOption
from scratch_forward.layers.base import Array, Generator, Layer, Shape
from scratch_forward.layers.options import boolean
from scratch_forward.layers.recurrent.cell import States
from scratch_forward.layers.recurrent.stacked_rnn_cells import StackedRNNCells


class RNN(Layer):
    """Runs a cell over time.

    Shapes: `(N, T, features)` to `(N, units)`, the output of the last valid step, or with
    `return_sequences` to `(N, T, units)`. With `return_state`, the states follow, each
    `(N, units)`.

    A masked step does not change the states. Its output is the previous output (zeros before the
    first valid step), or zero with `zero_output_for_mask`. The mask is passed on only with
    `return_sequences`. With `go_backwards`, the outputs are in processing order, but as in Keras
    the mask is not reversed.

    Source: `keras.layers.RNN` of Keras 3.

    Args:
        cell: A cell, or a list of cells to stack.
        return_sequences: Whether to return the output of every step.
        return_state: Whether to return the states as well.
        go_backwards: Whether to start at the last step.
        stateful: Whether a batch starts with the states after the previous batch.
        unroll: Ignored. The equation is the same.
        zero_output_for_mask: Whether the output of a masked step is zero.
    """

    supports_masking = True
    large_chunks = True
    call_arguments = ("sequences", "initial_state", "mask", "training")
    cell: Any

    def __init__(
        self,
        cell: Any,
        return_sequences: bool = False,
        return_state: bool = False,
        go_backwards: bool = False,
        stateful: bool = False,
        unroll: bool = False,
        zero_output_for_mask: bool = False,
        name: str | None = None,
    ) -> None:
        super().__init__(name)
        self.cell = StackedRNNCells(cell) if isinstance(cell, list | tuple) else cell
        if not hasattr(self.cell, "advance"):
            raise InvalidOption("cell", cell, "SimpleRNNCell, LSTMCell, GRUCell or several of them")
        self.return_sequences = boolean("return_sequences", return_sequences)
        self.return_state = boolean("return_state", return_state)
        self.go_backwards = boolean("go_backwards", go_backwards)
        self.stateful = boolean("stateful", stateful)
        self.unroll = boolean("unroll", unroll)
        self.zero_output_for_mask = boolean("zero_output_for_mask", zero_output_for_mask)
        self.states: States | None = None

    def build_children(self, input_shape: Shape) -> None:
        """Build the cell for one step.

        Raises:
            ValueError: If the shape of the input is not `(N, T, features)`.
        """
        if len(input_shape) != 3:
            raise ValueError(
                f"Layer {self.name!r} takes inputs (batch, time, features), got {input_shape}."
            )
        self.cell.build((input_shape[0], input_shape[2]))

    def compute_output_shape(self, input_shape: Shape) -> Any:
        """Return the shape of the output, and those of returned states."""
        batch = input_shape[0]
        time = (input_shape[1],) if self.return_sequences else ()
        output = (batch, *time, self.cell.output_size)
        if not self.return_state:
            return output
        return [output, *((None, *state.shape[1:]) for state in self.cell.get_initial_state(0))]

    def compute_mask(self, _inputs: Any, mask: Any) -> Any:
        """Return the mask if the output has a time axis."""
        return mask if self.return_sequences else None

    def reset_state(self) -> None:
        """Reset the states to zeros."""
        self.states = None

    def apply(
        self,
        inputs: Array,
        mask: Any,
        generator: Generator | None,
        /,
        initial_state: Any = None,
        **_: Any,
    ) -> Any:
        """Run the cell over time, from zero states or the given states."""
        states = self._first_states(inputs, initial_state)
        kept = None if mask is None else np.asarray(mask, bool)
        if kept is not None and kept.shape != inputs.shape[:2]:
            raise ValueError(
                f"Layer {self.name!r} got a mask {kept.shape} for inputs {inputs.shape}."
            )
        if self.go_backwards:
            inputs = inputs[:, ::-1]
            kept = None if kept is None else kept[:, ::-1]
        outputs, states = self._loop(inputs, kept, states, generator)
        if self.stateful:
            self.states = states
        return (outputs, *states) if self.return_state else outputs

    def zero_states(self, inputs: Array) -> States:
        """Return zero states for a batch."""
        states: States = self.cell.get_initial_state(len(inputs))
        return states

    def _first_states(self, inputs: Array, initial_state: Any) -> States:
        """Return the given states, those after the previous batch, or zeros."""
        zeros = self.zero_states(inputs)
        given = self.states if initial_state is None and self.stateful else initial_state
        if given is None:
            return zeros
        states = [
            np.asarray(state, self.dtype)
            for state in (given if isinstance(given, list | tuple) else [given])
        ]
        if [state.shape for state in states] != [state.shape for state in zeros]:
            raise ValueError(
                f"Layer {self.name!r} starts from states {[s.shape for s in zeros]}, got "
                f"{[s.shape for s in states]}."
            )
        return states

    def _loop(
        self, inputs: Array, kept: Array | None, states: States, generator: Generator | None
    ) -> tuple[Array, States]:
        """Run all steps. Returns the last output or all outputs, and the last states."""
        batch, steps = inputs.shape[:2]
        draw: tuple[Any, ...] = ()
        if generator is not None:
            draw = (self.cell.draw_masks(batch, inputs.shape[2], generator),)
        projected = self.cell.project(inputs, *draw)
        output = np.zeros_like(states[self.cell.output_index])
        outputs = np.zeros((batch, steps * self.return_sequences, *output.shape[1:]), self.dtype)
        for t in range(steps):
            after = self.cell.advance(projected[:, t], states, *draw)
            fresh = after[self.cell.output_index]
            if kept is not None:
                keep = kept[:, t].reshape(batch, *[1] * (output.ndim - 1))
                after = [np.where(keep, new, old) for new, old in zip(after, states, strict=True)]
                skipped = np.zeros_like(output) if self.zero_output_for_mask else output
                fresh = np.where(keep, fresh, skipped)
            states, output = after, fresh
            if self.return_sequences:
                outputs[:, t] = output
        return (outputs if self.return_sequences else output), states
