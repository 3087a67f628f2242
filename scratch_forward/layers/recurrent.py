"""Recurrent cells, the layers that run them over time, and their wrappers.

A cell computes one step from its projected input and its states, and can be stepped by hand for
streaming. A layer projects the inputs of all steps by one matrix product, then loops.
"""

from __future__ import annotations

import copy
from collections.abc import Sequence
from typing import Any, ClassVar, NamedTuple

import numpy as np

from scratch_forward.activations import Activation as ActivationFunction
from scratch_forward.errors import InvalidOption
from scratch_forward.layers.base import (
    Array,
    Generator,
    Layer,
    Shape,
    activation_option,
    boolean,
    number,
    numbered,
    one_of,
    positive,
)
from scratch_forward.layers.regularization import inverted_dropout

States = list[Array]


class DropoutMasks(NamedTuple):
    """What a cell's input and first state are multiplied by when training, the same at every step.

    One array for all gates, or one for each gate; None where nothing is dropped.
    """

    inputs: list[Array] | None = None
    states: list[Array] | None = None


NOTHING_DROPPED = DropoutMasks()


class _Cell(Layer):
    """One step of a recurrent layer.

    Attributes:
        units: Size of the output and of each state.
        gates: Number of blocks, of `units` columns each, in the kernels.
        state_count: Number of states; the first is the output of the step before.
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
        """Which of the states is the output."""
        return 0

    def bias_shape(self) -> tuple[int, ...]:
        """Return the bias's shape."""
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
        """Return states of zeros."""
        return [np.zeros((batch_size, self.units), self.dtype) for _ in range(self.state_count)]

    def draw_masks(self, batch: int, features: int, generator: Generator) -> DropoutMasks:
        """Draw what is dropped; with recurrent dropout every gate has masks of its own."""
        count = self.gates if self.recurrent_dropout else 1

        def draw(rate: float, size: int) -> list[Array] | None:
            if not 0 < rate < 1:
                return None
            ones = np.ones((batch, size), self.dtype)
            return [inverted_dropout(ones, rate, generator) for _ in range(count)]

        return DropoutMasks(draw(self.dropout, features), draw(self.recurrent_dropout, self.units))

    def project(self, inputs: Array, masks: DropoutMasks = NOTHING_DROPPED) -> Array:
        """Multiply inputs, of one step or of all, by the kernel and add the bias.

        Args:
            inputs: `(N, features)` or `(N, T, features)`.
            masks: What is dropped.

        Returns:
            `(N, gates * units)` or `(N, T, gates * units)`.
        """
        over_time = masks.inputs and [
            mask[:, None] if inputs.ndim == 3 else mask for mask in masks.inputs
        ]
        projected = _product(inputs, self.weights["kernel"], over_time)
        if self.use_bias:
            projected += self.input_bias()
        return projected

    def input_bias(self) -> Array:
        """Return the part of the bias that is added to the projected input."""
        return self.weights["bias"]

    def advance(
        self, projected: Array, states: States, masks: DropoutMasks = NOTHING_DROPPED
    ) -> States:
        """Compute the next states from one step's projected input.

        Args:
            projected: `(N, gates * units)`.
            states: Each `(N, units)`.
            masks: What is dropped.

        Returns:
            The next states; the first is the output.
        """
        raise NotImplementedError

    def __call__(self, inputs: Any, states: Any = None) -> tuple[Array, States]:  # type: ignore[override]
        """Compute one step, for input that arrives step by step.

        Args:
            inputs: The step's input, `(N, features)`.
            states: States after the step before, each `(N, units)`; zeros unless given.

        Returns:
            The output `(N, units)` and the states after this step.
        """
        return _step(self, inputs, states)


class SimpleRNNCell(_Cell):
    """`h' = activation(x @ kernel + bias + h @ recurrent_kernel)`.

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
        z = _product(states[0], self.weights["recurrent_kernel"], masks.states)
        z += projected
        return [self.activation(z)]


class LSTMCell(_Cell):
    """Long short-term memory, gates in the order input, forget, candidate, output.

    `z = x @ kernel + bias + h @ recurrent_kernel`, split into `zi, zf, zc, zo`;
    `c' = s(zf) * c + s(zi) * activation(zc)`; `h' = s(zo) * activation(c')`, where s is the
    recurrent activation. States: h, c.

    Shapes: x `(N, features)`, h and c `(N, units)`; kernel `(features, 4 units)`, recurrent kernel
    `(units, 4 units)`, bias `(4 units,)`, into which `unit_forget_bias` is already added.
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
        z = _product(h, self.weights["recurrent_kernel"], masks.states)
        z += projected
        zi, zf, zc, zo = np.split(z, 4, axis=-1)
        gate = self.recurrent_activation
        c = gate(zf) * c + gate(zi) * self.activation(zc)
        return [gate(zo) * self.activation(c), c]


class GRUCell(_Cell):
    """Gated recurrent unit, gates in the order update, reset, candidate.

    `z = s(xz + h @ Uz)`, `r = s(xr + h @ Ur)`, `h' = z * h + (1 - z) * c`, with the candidate
    `c = activation(xc + r * (h @ Uc + b))` if `reset_after`, else
    `c = activation(xc + (r * h) @ Uc)`; s is the recurrent activation.

    Shapes: x `(N, features)`, h `(N, units)`; kernel `(features, 3 units)`, recurrent kernel
    `(units, 3 units)`, bias `(2, 3 units)`, an input row and a recurrent row, or `(3 units,)`
    without `reset_after`.
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
        """Return the bias's input row."""
        return self.weights["bias"][0] if self.reset_after else self.weights["bias"]

    def advance(
        self, projected: Array, states: States, masks: DropoutMasks = NOTHING_DROPPED
    ) -> States:
        """Compute the next h."""
        (h,) = states
        xz, xr, xc = np.split(projected, 3, axis=-1)
        gate = self.recurrent_activation
        if self.reset_after:
            inner = _product(h, self.weights["recurrent_kernel"], masks.states)
            if self.use_bias:
                inner += self.weights["bias"][1]
            hz, hr, hc = np.split(inner, 3, axis=-1)
            z = gate(xz + hz)
            candidate = self.activation(xc + gate(xr + hr) * hc)
        else:
            uz_ur, uc = np.split(self.weights["recurrent_kernel"], [2 * self.units], axis=1)
            hz, hr = np.split(_product(h, uz_ur, masks.states and masks.states[:2]), 2, axis=-1)
            z = gate(xz + hz)
            reset = gate(xr + hr) * h
            candidate = self.activation(xc + _product(reset, uc, masks.states and masks.states[2:]))
        return [z * h + (1 - z) * candidate]


class StackedRNNCells(Layer):
    """Cells run one after the other within each step: the output of one is the input of the next.

    Args:
        cells: The cells, first to last.
        name: Name of the layer.
    """

    def __init__(self, cells: Sequence[Any], name: str | None = None) -> None:
        super().__init__(name)
        if not cells or not all(isinstance(cell, _Cell) for cell in cells):
            raise InvalidOption("cells", cells, "a list of SimpleRNNCell, LSTMCell or GRUCell")
        self.cells: list[_Cell] = list(cells)

    @property
    def output_size(self) -> int:
        """Size of the last cell's output."""
        return self.cells[-1].units

    @property
    def state_count(self) -> int:
        """Number of states of all cells together."""
        return sum(cell.state_count for cell in self.cells)

    @property
    def output_index(self) -> int:
        """Which of the states is the output: the first of the last cell."""
        return self.state_count - self.cells[-1].state_count

    def children(self) -> dict[str, Layer]:
        """Return the cells by their path in a weights file."""
        names = numbered(self.cells)
        return {f"cells/{name}": cell for name, cell in zip(names, self.cells, strict=True)}

    def build_children(self, input_shape: Shape) -> None:
        """Build each cell for the output of the one before."""
        for cell in self.cells:
            cell.build(input_shape)
            input_shape = cell.compute_output_shape(input_shape)

    def compute_output_shape(self, input_shape: Shape) -> Shape:
        """Return the shape of the last cell's output."""
        return (input_shape[0], self.output_size)

    def get_initial_state(self, batch_size: int) -> States:
        """Return states of zeros, all cells' in order."""
        return [state for cell in self.cells for state in cell.get_initial_state(batch_size)]

    def draw_masks(self, batch: int, features: int, generator: Generator) -> list[DropoutMasks]:
        """Draw what is dropped in each cell."""
        sizes = [features, *(cell.units for cell in self.cells[:-1])]
        return [
            cell.draw_masks(batch, size, generator)
            for cell, size in zip(self.cells, sizes, strict=True)
        ]

    def project(self, inputs: Array, masks: Sequence[DropoutMasks] = ()) -> Array:
        """Project for the first cell; the others' inputs are known only step by step."""
        return self.cells[0].project(inputs, masks[0] if masks else NOTHING_DROPPED)

    def advance(
        self, projected: Array, states: States, masks: Sequence[DropoutMasks] = ()
    ) -> States:
        """Compute the next states of all cells, in order."""
        after: States = []
        step: States = []
        for index, cell in enumerate(self.cells):
            dropped = masks[index] if masks else NOTHING_DROPPED
            if index:
                projected = cell.project(step[0], dropped)
            before, states = states[: cell.state_count], states[cell.state_count :]
            step = cell.advance(projected, before, dropped)
            after += step
        return after

    def __call__(self, inputs: Any, states: Any = None) -> tuple[Array, States]:  # type: ignore[override]
        """Compute one step of all cells; returns the last one's output and all states."""
        return _step(self, inputs, states)


class RNN(Layer):
    """Runs a cell over time.

    Shapes: `(N, T, features)` to `(N, units)`, the output of the last step that counts, or with
    `return_sequences` to `(N, T, units)`. With `return_state` the states follow, each `(N, units)`.

    A masked step leaves the states as they are; its output is that of the step before (zeros at
    first), or zero with `zero_output_for_mask`. The mask goes on only with `return_sequences`, in
    the order of the input: Keras does not reverse it under `go_backwards`, though the outputs are
    in the order of processing.

    Args:
        cell: A cell, or a list of cells to stack.
        return_sequences: Whether to return the output of every step.
        return_state: Whether to return the states too.
        go_backwards: Whether to start at the last step.
        stateful: Whether a batch starts with the states after the batch before.
        unroll: Ignored: the mathematics is the same.
        zero_output_for_mask: Whether the output of a masked step is zero.
        name: Name of the layer.
    """

    supports_masking = True
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
        if not isinstance(self.cell, _Cell | StackedRNNCells):
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
            ValueError: If the input is not `(N, T, features)`.
        """
        if len(input_shape) != 3:
            raise ValueError(
                f"Layer {self.name!r} takes inputs (batch, time, features), got {input_shape}."
            )
        self.cell.build((input_shape[0], input_shape[2]))

    def compute_output_shape(self, input_shape: Shape) -> Any:
        """Return the output's shape, and the states' if they are returned."""
        batch = input_shape[0]
        time = (input_shape[1],) if self.return_sequences else ()
        output = (batch, *time, self.cell.output_size)
        if not self.return_state:
            return output
        return [output, *((None, *state.shape[1:]) for state in self.cell.get_initial_state(0))]

    def compute_mask(self, _inputs: Any, mask: Any) -> Any:
        """Return the mask if there is an output for every step."""
        return mask if self.return_sequences else None

    def reset_state(self) -> None:
        """Forget the states of the batches before."""
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
        """Run the cell over time, from zeros or the given states."""
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

    def _first_states(self, inputs: Array, initial_state: Any) -> States:
        """Return the given states, those of the batch before, or zeros.

        Raises:
            ValueError: If their number, or the batch size, does not fit.
        """
        zeros: States = self.cell.get_initial_state(len(inputs))
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
        """Step through time; returns the output or outputs, and the last states."""
        batch, steps, features = inputs.shape
        draw = () if generator is None else (self.cell.draw_masks(batch, features, generator),)
        projected = self.cell.project(inputs, *draw)
        output = np.zeros((batch, self.cell.output_size), self.dtype)
        outputs = np.zeros((batch, steps * self.return_sequences, output.shape[1]), self.dtype)
        for t in range(steps):
            after = self.cell.advance(projected[:, t], states, *draw)
            fresh = after[self.cell.output_index]
            if kept is not None:
                keep = kept[:, t, None]
                after = [np.where(keep, new, old) for new, old in zip(after, states, strict=True)]
                skipped = np.zeros_like(output) if self.zero_output_for_mask else output
                fresh = np.where(keep, fresh, skipped)
            states, output = after, fresh
            if self.return_sequences:
                outputs[:, t] = output
        return (outputs if self.return_sequences else output), states


class SimpleRNN(RNN):
    """`h[t] = activation(x[t] @ kernel + bias + h[t - 1] @ recurrent_kernel)`.

    See `SimpleRNNCell` for the weights, `RNN` for shapes, masks and the other options.
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


class LSTM(RNN):
    """Long short-term memory; the states are h, which is also the output, and c.

    See `LSTMCell` for equations and weights, `RNN` for shapes, masks and the other options.
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


class GRU(RNN):
    """Gated recurrent unit.

    See `GRUCell` for equations and weights, `RNN` for shapes, masks and the other options.
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


class Bidirectional(Layer):
    """Runs a recurrent layer forwards and a copy of it backwards, and merges their outputs.

    The backward layer sees inputs and mask reversed in time; with `return_sequences` its outputs
    are turned back, so that step t of both speaks of input t. As Keras does, masked steps output
    zero if `return_sequences`.

    Shapes: `(N, T, features)` to `(N, 2 units)` or `(N, T, 2 units)`; half as wide for other merge
    modes than `"concat"`. With `return_state` the forward states follow, then the backward ones.

    Args:
        layer: SimpleRNN, LSTM, GRU or RNN; it is copied.
        merge_mode: `"concat"`, `"sum"`, `"mul"`, `"ave"`, or None for two outputs.
        backward_layer: The backward layer, if it is not a copy; its `go_backwards` is the opposite.
        name: Name of the layer.
    """

    supports_masking = True

    def __init__(
        self,
        layer: Any,
        merge_mode: str | None = "concat",
        backward_layer: Any = None,
        name: str | None = None,
    ) -> None:
        super().__init__(name)
        if not isinstance(layer, RNN):
            raise InvalidOption("layer", layer, "SimpleRNN, LSTM, GRU or RNN")
        if not isinstance(backward_layer, RNN | None):
            raise InvalidOption("backward_layer", backward_layer, "SimpleRNN, LSTM, GRU or RNN")
        self.merge_mode = one_of("merge_mode", merge_mode, ("concat", "sum", "mul", "ave", None))
        self.forward_layer = copy.deepcopy(layer)
        self.backward_layer = copy.deepcopy(layer) if backward_layer is None else backward_layer
        if backward_layer is None:
            self.backward_layer.go_backwards = True
        for option in ("return_sequences", "return_state", "stateful"):
            value = getattr(self.backward_layer, option)
            if value != getattr(layer, option):
                raise InvalidOption(f"backward_layer.{option}", value, "that of the forward layer")
        if self.backward_layer.go_backwards == self.forward_layer.go_backwards:
            value = self.backward_layer.go_backwards
            raise InvalidOption("backward_layer.go_backwards", value, f"{not value}")
        self.return_sequences: bool = layer.return_sequences
        self.return_state: bool = layer.return_state
        for child in (self.forward_layer, self.backward_layer):
            child.zero_output_for_mask = self.return_sequences

    def build_children(self, input_shape: Shape) -> None:
        """Build both directions."""
        self.forward_layer.build(input_shape)
        self.backward_layer.build(input_shape)

    def compute_output_shape(self, input_shape: Shape) -> Any:
        """Return the merged output's shape, or both, and the states' if they are returned."""
        shapes = [
            shape if isinstance(shape, list) else [shape]
            for child in (self.forward_layer, self.backward_layer)
            for shape in [child.compute_output_shape(input_shape)]
        ]
        forward, backward = shapes[0][0], shapes[1][0]
        if self.merge_mode is None:
            outputs = [forward, backward]
        elif self.merge_mode == "concat":
            outputs = [(*forward[:-1], forward[-1] + backward[-1])]
        else:
            outputs = [forward]
        outputs += shapes[0][1:] + shapes[1][1:]
        return outputs if len(outputs) > 1 else outputs[0]

    def compute_mask(self, _inputs: Any, mask: Any) -> Any:
        """Return the mask, once for each output that has steps."""
        if not self.return_sequences:
            return None
        return (mask, mask) if self.merge_mode is None else mask

    def reset_state(self) -> None:
        """Forget the states of the batches before."""
        self.forward_layer.reset_state()
        self.backward_layer.reset_state()

    def apply(
        self,
        inputs: Array,
        mask: Any,
        generator: Generator | None,
        /,
        initial_state: Any = None,
        **_: Any,
    ) -> Any:
        """Run both directions and merge; the first half of the states is the forward layer's."""
        half = len(initial_state) // 2 if initial_state is not None else 0
        starts = (initial_state[:half], initial_state[half:]) if half else (None, None)
        forward, backward = (
            child.run(inputs, mask, generator, initial_state=start)[0]
            for child, start in zip((self.forward_layer, self.backward_layer), starts, strict=True)
        )
        states: tuple[Array, ...] = ()
        if self.return_state:
            states = (*forward[1:], *backward[1:])
            forward, backward = forward[0], backward[0]
        if self.return_sequences:
            backward = backward[:, ::-1]
        merged = self._merge(forward, backward)
        return (*merged, *states) if len(merged) + len(states) > 1 else merged[0]

    def _merge(self, forward: Array, backward: Array) -> tuple[Array, ...]:
        """Merge the two outputs by the merge mode."""
        if self.merge_mode is None:
            return forward, np.ascontiguousarray(backward)
        if self.merge_mode == "concat":
            return (np.concatenate([forward, backward], axis=-1),)
        if self.merge_mode == "mul":
            return (forward * backward,)
        total = forward + backward
        return (total / 2 if self.merge_mode == "ave" else total,)


class TimeDistributed(Layer):
    """Applies a layer to every time step: `y[:, t] = layer(x[:, t])`. A mask passes through.

    Shapes: `(N, T, ...)` to `(N, T, ...)`; computed as one batch of N * T.

    Args:
        layer: Any layer with one input and one output.
        name: Name of the layer.
    """

    supports_masking = True

    def __init__(self, layer: Any, name: str | None = None) -> None:
        super().__init__(name)
        if not isinstance(layer, Layer):
            raise InvalidOption("layer", layer, "a layer")
        self.layer = layer

    def build_children(self, input_shape: Shape) -> None:
        """Build the layer for one step.

        Raises:
            ValueError: If the input has no time axis.
        """
        if len(input_shape) < 3:
            raise ValueError(
                f"Layer {self.name!r} takes inputs (batch, time, ...), got {input_shape}."
            )
        self.layer.build((input_shape[0], *input_shape[2:]))

    def compute_output_shape(self, input_shape: Shape) -> Shape:
        """Return the layer's output shape with the time axis put in."""
        step = self.layer.compute_output_shape((input_shape[0], *input_shape[2:]))
        return (step[0], input_shape[1], *step[1:])

    def apply(self, inputs: Array, mask: Any, generator: Generator | None, /, **_: Any) -> Array:
        """Fold time into the batch, apply the layer, unfold."""
        batch, steps = inputs.shape[:2]
        folded = inputs.reshape(batch * steps, *inputs.shape[2:])
        per_step = None if mask is None else np.asarray(mask, bool).reshape(batch * steps)
        outputs: Array = self.layer.run(folded, per_step, generator)[0]
        return outputs.reshape(batch, steps, *outputs.shape[1:])


def _product(x: Array, kernel: Array, masks: list[Array] | None) -> Array:
    """Multiply by a kernel, each block of its columns after dropping by a mask of its own."""
    if not masks:
        return x @ kernel
    blocks = np.split(kernel, len(masks), axis=1)
    return np.concatenate([(x * m) @ block for m, block in zip(masks, blocks, strict=True)], -1)


def _step(cell: Any, inputs: Any, states: Any) -> tuple[Array, States]:
    """Compute one step of a cell from raw inputs, building it if need be."""
    batch = cell.convert(inputs)
    if not cell.built:
        cell.build((None, batch.shape[-1]))
    cell.require_weights()
    before = cell.get_initial_state(len(batch)) if states is None else cell.convert(states)
    after = cell.advance(cell.project(batch), before)
    return after[cell.output_index], after
