"""A recurrent layer that runs in both directions."""

from __future__ import annotations

import copy
from typing import Any

import numpy as np

from scratch_forward.errors import InvalidOption
from scratch_forward.layers.base import Array, Generator, Layer, Shape
from scratch_forward.layers.options import one_of
from scratch_forward.layers.recurrent.rnn import RNN


class Bidirectional(Layer):
    """Runs a recurrent layer forwards and a copy of it backwards, and merges their outputs.

    Source: Schuster & Paliwal 1997, "Bidirectional Recurrent Neural Networks".

    The backward layer receives inputs and mask reversed in time. With `return_sequences`, its
    outputs are reversed again, so that step t of both directions belongs to input t. As in Keras,
    masked steps output zero if `return_sequences` is set.

    Shapes: `(N, T, features)` to `(N, 2 units)` or `(N, T, 2 units)`. The last size is `units` for
    merge modes other than `"concat"`. With `return_state`, the forward states follow, then the
    backward states.

    Args:
        layer: SimpleRNN, LSTM, GRU or RNN. It is copied.
        merge_mode: `"concat"`, `"sum"`, `"mul"`, `"ave"`, or None for two outputs.
        backward_layer: The backward layer, if it is not a copy. Its `go_backwards` must be the
            opposite.
    """

    supports_masking = True
    call_arguments = ("sequences", "initial_state", "mask", "training")

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
        """Return the shape of the merged output or of both, and those of returned states."""
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
        """Return the mask, once per output with a time axis."""
        if not self.return_sequences:
            return None
        return (mask, mask) if self.merge_mode is None else mask

    def reset_state(self) -> None:
        """Reset the states to zeros."""
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
        """Run both directions and merge. The first half of the states is the forward layer's."""
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
