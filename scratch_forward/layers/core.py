"""Dense, Embedding, Masking and layers that return their input."""

from __future__ import annotations

from typing import Any

import numpy as np

from scratch_forward.activations import Activation as ActivationFunction
from scratch_forward.errors import InvalidOption
from scratch_forward.layers.base import Array, Layer, Shape
from scratch_forward.layers.options import activation_option, boolean, number, positive
from scratch_forward.symbolic import Node, SymbolicTensor

_INPUT_DTYPES = {
    **{name: name for name in ("bool", "uint8", "uint16", "uint32", "int8", "int16")},
    **{name: name for name in ("int32", "int64", "float64", "string")},
    **dict.fromkeys(("float32", "float16", "bfloat16"), "float32"),
}


class InputLayer(Layer):
    """The input of a model: its shape and dtype.

    Inputs are converted to `dtype`, as in Keras: token ids for a float32 input become float32, and
    a value of 0.5 stays 0.5. Half precision is computed in float32. A last axis of size 1 may be
    missing or superfluous.

    Shapes: `(N, *shape)` to `(N, *shape)`.

    Source: `keras.layers.InputLayer` of Keras 3.

    Args:
        shape: Shape without the batch axis, with None for unknown sizes.
        batch_size: Ignored. Any number of examples is accepted.
        dtype: Dtype of the input. Defaults to float32.
        sparse: Must be False.
        ragged: Must be False.
        batch_shape: Shape with the batch axis, instead of `shape`.
        optional: Whether the input may be None. Not supported.
    """

    supports_masking = True

    def __init__(
        self,
        shape: Any = None,
        batch_size: int | None = None,
        dtype: str | None = None,
        sparse: bool | None = False,
        ragged: bool | None = False,
        batch_shape: Any = None,
        optional: bool = False,
        name: str | None = None,
    ) -> None:
        super().__init__(name)
        if (shape is None) == (batch_shape is None):
            raise InvalidOption("shape", shape, "a shape, or a `batch_shape` instead")
        option, given = ("batch_shape", batch_shape) if shape is None else ("shape", shape)
        if not isinstance(given, list | tuple):
            raise InvalidOption(option, given, "a list of sizes")
        sizes = given[1:] if shape is None else given
        self.batch_size = batch_size
        self.shape: Shape = tuple(
            None if size is None else positive("shape", size) for size in sizes
        )
        for flag, value in (("sparse", sparse), ("ragged", ragged), ("optional", optional)):
            if value:
                raise InvalidOption(flag, value, "false")
        if (dtype or "float32") not in _INPUT_DTYPES:
            raise InvalidOption("dtype", dtype, ", ".join(_INPUT_DTYPES))
        self.input_dtype = _INPUT_DTYPES[dtype or "float32"]
        self.build((None, *self.shape))

    def convert(self, inputs: Any) -> Any:
        """Convert inputs to the dtype and rank of the layer.

        Raises:
            ValueError: If the shape does not match.
        """
        if self.input_dtype == "string":
            return inputs
        dtype = self.dtype if self.input_dtype == "float32" else np.dtype(self.input_dtype)
        array = np.asarray(inputs).astype(dtype, copy=False)
        expected = (None, *self.shape)
        if array.ndim == len(expected) + 1 and array.shape[-1] == 1:
            array = array[..., 0]
        elif array.ndim == len(expected) - 1 and expected[-1] == 1:
            array = array[..., None]
        fits = array.ndim == len(expected) and all(
            want is None or want == have for want, have in zip(expected, array.shape, strict=True)
        )
        if not fits:
            raise ValueError(
                f"Input {self.name!r} expects shape {expected}, got {np.shape(inputs)}."
            )
        return array

    def as_tensor(self) -> SymbolicTensor:
        """Return the symbolic tensor of this input."""
        node = Node(self, [])
        node.outputs = [SymbolicTensor((None, *self.shape), node, 0)]
        self.nodes.append(node)
        return node.outputs[0]

    def call(self, inputs: Any) -> Any:
        """Return the converted input."""
        return inputs


def Input(
    shape: Any = None,
    batch_size: int | None = None,
    dtype: str | None = None,
    batch_shape: Any = None,
    name: str | None = None,
) -> SymbolicTensor:
    """Return a symbolic tensor, on which layers can be called to build a `Model`.

    Args:
        shape: Shape without the batch axis, with None for unknown sizes.
        batch_size: Ignored. Any number of examples is accepted.
        dtype: Dtype of the input. Defaults to float32.
        batch_shape: Shape with the batch axis, instead of `shape`.
        name: Name of the input.

    Returns:
        The symbolic tensor.
    """
    return InputLayer(shape, batch_size, dtype, batch_shape=batch_shape, name=name).as_tensor()


class Dense(Layer):
    """`y = activation(x @ kernel + bias)` over the last axis.

    Shapes: `(..., features)` to `(..., units)`; kernel `(features, units)`, bias `(units,)`. The
    mask is passed through.

    Source: `keras.layers.Dense` of Keras 3.

    Args:
        units: Size of the output's last axis.
        activation: A name, a function, or an activation layer without weights.
        use_bias: Whether to add a bias.
    """

    supports_masking = True

    def __init__(
        self,
        units: int,
        activation: str | ActivationFunction | None = None,
        use_bias: bool = True,
        name: str | None = None,
    ) -> None:
        super().__init__(name)
        self.units = positive("units", units)
        self.activation = activation_option("activation", activation)
        self.use_bias = boolean("use_bias", use_bias)

    def weight_shapes(self, input_shape: Shape) -> dict[str, Any]:
        """Return the shapes of the kernel and the bias."""
        bias = {"bias": (self.units,)} if self.use_bias else {}
        return {"kernel": (input_shape[-1], self.units)} | bias

    def compute_output_shape(self, input_shape: Shape) -> Shape:
        """Return the shape of the input with `units` as the last size."""
        return (*input_shape[:-1], self.units)

    def call(self, inputs: Array) -> Array:
        """Multiply by the kernel, add the bias and apply the activation."""
        outputs = inputs @ self.weights["kernel"]
        if self.use_bias:
            outputs += self.weights["bias"]
        return self.activation(outputs)


class Embedding(Layer):
    """`y = embeddings[id]` for every integer id.

    As in Keras on the CPU, a float id is truncated, a negative id counts from the end, and an id
    outside the table is an error. With `mask_zero`, the mask of the output is `id != 0`. It is
    computed from the ids before truncation: 0.5 reads row 0, but is not masked.

    Shapes: ids `(N, ...)` to `(N, ..., output_dim)`; embeddings `(input_dim, output_dim)`.

    Source: `keras.layers.Embedding` of Keras 3.

    Args:
        input_dim: Number of rows.
        output_dim: Size of a row.
        mask_zero: Whether id 0 is padding that later layers skip.
    """

    def __init__(
        self, input_dim: int, output_dim: int, mask_zero: bool = False, name: str | None = None
    ) -> None:
        super().__init__(name)
        self.input_dim = positive("input_dim", input_dim)
        self.output_dim = positive("output_dim", output_dim)
        self.mask_zero = boolean("mask_zero", mask_zero)
        self.supports_masking = self.mask_zero

    def weight_shapes(self, _input_shape: Shape) -> dict[str, Any]:
        """Return the shape of the table."""
        return {"embeddings": (self.input_dim, self.output_dim)}

    def compute_output_shape(self, input_shape: Shape) -> Shape:
        """Return the shape of the ids with `output_dim` appended."""
        return (*input_shape, self.output_dim)

    def compute_mask(self, inputs: Any, _mask: Any) -> Array:
        """Return a mask that is True where ids are not 0."""
        return np.not_equal(inputs, 0)

    def convert(self, inputs: Any) -> Array:
        """Truncate ids to integers."""
        ids = np.asarray(inputs)
        return ids if ids.dtype.kind in "iu" else ids.astype(np.int64)

    def call(self, inputs: Array) -> Array:
        """Look up the rows.

        Raises:
            ValueError: If an id is outside the table.
        """
        return self.weights["embeddings"][self.positions(inputs)]

    def positions(self, ids: Array) -> Array:
        """Return non-negative row numbers for ids, some of which may be negative.

        Raises:
            ValueError: If an id is outside the table.
        """
        if not ids.size:
            return ids
        least, most = ids.min(), ids.max()
        if least < -self.input_dim or most >= self.input_dim:
            raise ValueError(
                f"Layer {self.name!r} looks up ids from 0 to {self.input_dim - 1}, got ids from "
                f"{least} to {most}."
            )
        return ids if least >= 0 else np.where(ids < 0, ids + self.input_dim, ids)


class Masking(Layer):
    """Masks time steps in which every feature equals `mask_value`, and sets them to zero.

    `mask[n, t] = any(x[n, t] != mask_value)`; `y = x where mask else 0`.

    Shapes: `(N, T, ...)` to the same; the mask is `(N, T)`.

    Source: `keras.layers.Masking` of Keras 3.

    Args:
        mask_value: Value of padding.
    """

    supports_masking = True

    def __init__(self, mask_value: float = 0.0, name: str | None = None) -> None:
        super().__init__(name)
        self.mask_value = number("mask_value", mask_value)

    def compute_mask(self, inputs: Any, _mask: Any) -> Array:
        """Return a mask that is True for time steps with any other value than the mask value."""
        return np.any(self.convert(inputs) != self.dtype.type(self.mask_value), axis=-1)

    def call(self, inputs: Array) -> Array:
        """Set masked time steps to zero."""
        return np.where(self.compute_mask(inputs, None)[..., None], inputs, self.dtype.type(0))


class Identity(Layer):
    """`y = x`. The mask is passed through.

    Shapes: `(N, ...)` to `(N, ...)`.

    Source: `keras.layers.Identity` of Keras 3.
    """

    supports_masking = True
    returns_its_input = True

    def __init__(self, name: str | None = None) -> None:
        super().__init__(name)

    def call(self, inputs: Any) -> Any:
        """Return the input."""
        return inputs


class ActivityRegularization(Identity):
    """`y = x`. In training, Keras adds `l1 * sum(|x|) + l2 * sum(x**2)` to the loss.

    Shapes: `(N, ...)` to `(N, ...)`.

    Source: `keras.layers.ActivityRegularization` of Keras 3.

    Args:
        l1: Ignored at inference.
        l2: Ignored at inference.
    """

    def __init__(self, l1: float = 0.0, l2: float = 0.0, name: str | None = None) -> None:
        super().__init__(name)
        self.l1 = number("l1", l1)
        self.l2 = number("l2", l2)
