"""Convolutional LSTM: an LSTM with convolutions instead of products, in 1 to 3 dimensions."""

from __future__ import annotations

from typing import Any

import numpy as np

from scratch_forward.activations import Activation as ActivationFunction
from scratch_forward.layers.base import Array, Generator, Layer, Shape
from scratch_forward.layers.convolution import Conv1D, Conv2D, Conv3D
from scratch_forward.layers.options import activation_option, boolean, number, positive
from scratch_forward.layers.recurrent.cell import States
from scratch_forward.layers.recurrent.rnn import RNN

_CONVOLUTIONS: tuple[Any, ...] = (Conv1D, Conv2D, Conv3D)


class ConvLSTMCell(Layer):
    """One step: `z = conv(x, kernel) + bias + conv(h, recurrent_kernel)` (arXiv:1506.04214).

    The channels of z are split into `zi, zf, zc, zo`. With the recurrent activation s, and without
    the peepholes of the paper: `c' = s(zf) * c + s(zi) * activation(zc)`;
    `h' = s(zo) * activation(c')`. The convolution of x has the options of the layer. That of h has
    strides of 1 and padding `"same"`.

    Shapes: x `(N, *spatial, C)`, h and c `(N, *output sizes, filters)`; kernel
    `(*window, C, 4 filters)`, recurrent kernel `(*window, filters, 4 filters)`, bias
    `(4 filters,)`.
    """

    output_index = 0

    def __init__(
        self,
        rank: int,
        filters: int,
        kernel_size: Any,
        strides: Any,
        padding: str,
        data_format: str | None,
        dilation_rate: Any,
        activation: str | ActivationFunction | None,
        recurrent_activation: str | ActivationFunction | None,
        use_bias: bool,
        name: str | None = None,
    ) -> None:
        super().__init__(name)
        self.filters = positive("filters", filters)
        self.activation = activation_option("activation", activation)
        self.recurrent_activation = activation_option("recurrent_activation", recurrent_activation)
        convolution = _CONVOLUTIONS[rank - 1]
        self.of_input = convolution(
            4 * self.filters, kernel_size, strides, padding, data_format, dilation_rate
        )
        self.of_input.use_bias = boolean("use_bias", use_bias)
        self.of_state = convolution(
            4 * self.filters, kernel_size, 1, "same", data_format, use_bias=False
        )

    def children(self) -> dict[str, Layer]:
        """Return no layers: the convolutions have no entry of their own in a weights file."""
        return {}

    def weight_shapes(self, input_shape: Shape) -> dict[str, Any]:
        """Return the shapes of both kernels and the bias."""
        kernel, *bias = self.of_input.weight_shapes(input_shape).values()
        recurrent = (*self.of_input.window, self.filters, 4 * self.filters)
        return {"kernel": kernel, "recurrent_kernel": recurrent} | (
            {"bias": bias[0]} if bias else {}
        )

    def set_own_weights(self, weights: dict[str, Array]) -> None:
        """Set the weights of the cell and of its convolutions."""
        super().set_own_weights(weights)
        self.of_input.dtype = self.of_state.dtype = self.dtype
        own = self.weights
        self.of_input.weights = {name: own[name] for name in ("kernel", "bias") if name in own}
        if "recurrent_kernel" in own:
            self.of_state.weights = {"kernel": own["recurrent_kernel"]}

    def compute_output_shape(self, input_shape: Shape) -> Shape:
        """Return the shape of h and of c."""
        shape = self.of_input.compute_output_shape(input_shape)
        first = self.of_input.data_format == "channels_first"
        return (shape[0], self.filters, *shape[2:]) if first else (*shape[:-1], self.filters)

    def project(self, inputs: Array) -> Array:
        """Convolve the inputs of all steps, `(N, T, *spatial, C)`."""
        batch, steps = inputs.shape[:2]
        projected = self.of_input.call(inputs.reshape(batch * steps, *inputs.shape[2:]))
        return projected.reshape(batch, steps, *projected.shape[1:])

    def advance(self, projected: Array, states: States) -> States:
        """Compute the next h and c."""
        h, c = states
        axis = 1 if self.of_input.data_format == "channels_first" else -1
        zi, zf, zc, zo = np.split(projected + self.of_state.call(h), 4, axis=axis)
        gate = self.recurrent_activation
        c = gate(zf) * c + gate(zi) * self.activation(zc)
        return [gate(zo) * self.activation(c), c]


class _ConvLSTM(RNN):
    """Runs a `ConvLSTMCell` over time. See `RNN` for masks, direction and states."""

    rank: int

    def __init__(
        self,
        filters: int,
        kernel_size: Any,
        strides: Any = 1,
        padding: str = "valid",
        data_format: str | None = None,
        dilation_rate: Any = 1,
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
        cell = ConvLSTMCell(
            self.rank,
            filters,
            kernel_size,
            strides,
            padding,
            data_format,
            dilation_rate,
            activation,
            recurrent_activation,
            use_bias,
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
        self.unit_forget_bias = boolean("unit_forget_bias", unit_forget_bias)
        self.dropout = number("dropout", dropout, 0, 1)
        self.recurrent_dropout = number("recurrent_dropout", recurrent_dropout, 0, 1)
        self.seed = seed

    def build_children(self, input_shape: Shape) -> None:
        """Build the cell for one step.

        Raises:
            ValueError: If the input has a different number of axes.
        """
        self.expect_axes(input_shape, self.rank + 3)
        self.cell.build((input_shape[0], *input_shape[2:]))

    def compute_output_shape(self, input_shape: Shape) -> Any:
        """Return the shape of the output, and those of returned states."""
        state = self.cell.compute_output_shape((input_shape[0], *input_shape[2:]))
        output = (state[0], input_shape[1], *state[1:]) if self.return_sequences else state
        return [output, state, state] if self.return_state else output

    def zero_states(self, inputs: Array) -> States:
        """Return zero states for inputs of this size."""
        shape = self.cell.compute_output_shape((len(inputs), *inputs.shape[2:]))
        return [np.zeros(shape, self.dtype) for _ in range(2)]

    def apply(
        self,
        inputs: Array,
        mask: Any,
        generator: Generator | None,
        /,
        initial_state: Any = None,
        **_: Any,
    ) -> Any:
        """Run the cell over time.

        Raises:
            ValueError: In training with dropout.
        """
        if generator is not None and (self.dropout or self.recurrent_dropout):
            raise ValueError(f"Layer {self.name!r} does not support dropout in training.")
        return super().apply(inputs, mask, None, initial_state=initial_state)


class ConvLSTM1D(_ConvLSTM):
    """A convolutional LSTM over sequences. See `ConvLSTMCell` for equations and weights.

    Shapes: `(N, T, L, C)` to `(N, L', filters)`, with a time axis after the batch if
    `return_sequences` is set. With `return_state`, h and c follow. Masks are used as in `RNN`.

    Source: arXiv:1506.04214.

    Args:
        filters: Number of output channels.
        kernel_size: Size of the window.
        strides: Step between windows over the input.
        padding: `"valid"` or `"same"`, for the input.
        data_format: `"channels_last"` (the default) or `"channels_first"`.
        dilation_rate: Step between the elements of a window over the input.
        activation: Activation of the candidate and of the output.
        recurrent_activation: Activation of the gates.
        use_bias: Whether to add a bias.
        unit_forget_bias: Ignored. The stored bias includes it.
        dropout: Ignored at inference.
        recurrent_dropout: Ignored at inference.
        seed: Ignored.
        return_sequences: Whether to return the output of every step.
        return_state: Whether to return the states as well.
        go_backwards: Whether to start at the last step.
        stateful: Whether a batch starts with the states after the previous batch.
        unroll: Ignored. The equation is the same.
        zero_output_for_mask: Whether the output of a masked step is zero.
    """

    rank = 1


class ConvLSTM2D(_ConvLSTM):
    """A convolutional LSTM over images. See `ConvLSTMCell` for equations and weights.

    Shapes: `(N, T, H, W, C)` to `(N, H', W', filters)`, with a time axis after the batch if
    `return_sequences` is set. With `return_state`, h and c follow. Masks are used as in `RNN`.

    Source: arXiv:1506.04214.

    Arguments that are not listed are those of `ConvLSTM1D`.

    Args:
        kernel_size: Size of the window: an integer or (height, width).
    """

    rank = 2


class ConvLSTM3D(_ConvLSTM):
    """A convolutional LSTM over volumes. See `ConvLSTMCell` for equations and weights.

    Shapes: `(N, T, D, H, W, C)` to `(N, D', H', W', filters)`, with a time axis after the batch if
    `return_sequences` is set. With `return_state`, h and c follow. Masks are used as in `RNN`.

    Source: arXiv:1506.04214.

    Arguments that are not listed are those of `ConvLSTM1D`.

    Args:
        kernel_size: Size of the window: an integer or (depth, height, width).
    """

    rank = 3
