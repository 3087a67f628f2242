"""Dense, Embedding, Masking and the layers that pass their input on."""

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
    """The place where a model's input enters: its shape and data type.

    Inputs are converted to `dtype`, as Keras does: token ids given to a float32 input become
    float32, and a value of 0.5 stays 0.5. Half precision is computed in float32. A size of 1 at the
    end of the shape may be left out, or be too many.

    Args:
        shape: Shape without the batch, None where a size is open.
        batch_size: Ignored: any number of examples is taken.
        dtype: Data type, float32 unless given.
        sparse: False.
        ragged: False.
        batch_shape: Shape with the batch, instead of `shape`.
        optional: Whether None may be given for this input; not supported.
        name: Name of the layer.
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
        """Convert to the input's data type and rank.

        Raises:
            ValueError: If the shape does not fit.
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
        """Return the tensor to come that enters here."""
        node = Node(self, [])
        node.outputs = [SymbolicTensor((None, *self.shape), node, 0)]
        self.nodes.append(node)
        return node.outputs[0]

    def call(self, inputs: Any) -> Any:
        """Pass the converted input on."""
        return inputs


def Input(
    shape: Any = None,
    batch_size: int | None = None,
    dtype: str | None = None,
    batch_shape: Any = None,
    name: str | None = None,
) -> SymbolicTensor:
    """Return a tensor to come that layers can be called on, to build a `Model`.

    Args:
        shape: Shape without the batch, None where a size is open.
        batch_size: Ignored: any number of examples is taken.
        dtype: Data type, float32 unless given.
        batch_shape: Shape with the batch, instead of `shape`.
        name: Name of the input.
    """
    return InputLayer(shape, batch_size, dtype, batch_shape=batch_shape, name=name).as_tensor()


class Dense(Layer):
    """`y = activation(x @ kernel + bias)` over the last axis.

    Shapes: `(..., features)` to `(..., units)`; kernel `(features, units)`, bias `(units,)`. A mask
    passes through.

    Args:
        units: Size of the output's last axis.
        activation: Name of the activation, a function, or an activation layer without weights.
        use_bias: Whether there is a bias.
        name: Name of the layer.
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
        """Return the kernel's shape and the bias's."""
        bias = {"bias": (self.units,)} if self.use_bias else {}
        return {"kernel": (input_shape[-1], self.units)} | bias

    def compute_output_shape(self, input_shape: Shape) -> Shape:
        """Return the input's shape with `units` at its end."""
        return (*input_shape[:-1], self.units)

    def call(self, inputs: Array) -> Array:
        """Multiply by the kernel, add the bias, apply the activation."""
        outputs = inputs @ self.weights["kernel"]
        if self.use_bias:
            outputs += self.weights["bias"]
        return self.activation(outputs)


class Embedding(Layer):
    """Row `embeddings[id]` for every integer id.

    As in Keras on the CPU, a float id is truncated, a negative id counts from the end, and an id
    outside the table is an error. With `mask_zero` the output's mask is `id != 0`, tested on the
    ids as they were given: 0.5 reads row 0 but is not masked.

    Shapes: `(...)` ids to `(..., output_dim)`; embeddings `(input_dim, output_dim)`.

    Args:
        input_dim: Number of rows.
        output_dim: Size of a row.
        mask_zero: Whether id 0 is padding that later layers skip.
        name: Name of the layer.
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
        """Return the table's shape."""
        return {"embeddings": (self.input_dim, self.output_dim)}

    def compute_output_shape(self, input_shape: Shape) -> Shape:
        """Return the ids' shape with a row at its end."""
        return (*input_shape, self.output_dim)

    def compute_mask(self, inputs: Any, _mask: Any) -> Array:
        """Return which ids are not 0."""
        return np.not_equal(inputs, 0)

    def convert(self, inputs: Any) -> Array:
        """Truncate ids to integers."""
        ids = np.asarray(inputs)
        return ids if ids.dtype.kind in "iu" else ids.astype(np.int64)

    def call(self, inputs: Array) -> Array:
        """Look the rows up.

        Raises:
            ValueError: If an id is outside the table.
        """
        return self.weights["embeddings"][self.positions(inputs)]

    def positions(self, ids: Array) -> Array:
        """Return the ids counted from the first row, negative ones too.

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
    """Mask the time steps in which every feature equals `mask_value`, and set them to zero.

    `mask[n, t] = any(x[n, t] != mask_value)`; `y = x where mask else 0`.

    Args:
        mask_value: The value that stands for padding.
        name: Name of the layer.
    """

    supports_masking = True

    def __init__(self, mask_value: float = 0.0, name: str | None = None) -> None:
        super().__init__(name)
        self.mask_value = number("mask_value", mask_value)

    def compute_mask(self, inputs: Any, _mask: Any) -> Array:
        """Return which time steps differ from the mask value."""
        return np.any(self.convert(inputs) != self.dtype.type(self.mask_value), axis=-1)

    def call(self, inputs: Array) -> Array:
        """Zero the masked time steps."""
        return np.where(self.compute_mask(inputs, None)[..., None], inputs, self.dtype.type(0))


class Identity(Layer):
    """`y = x`; a mask passes through."""

    supports_masking = True
    returns_its_input = True

    def __init__(self, name: str | None = None) -> None:
        super().__init__(name)

    def call(self, inputs: Any) -> Any:
        """Pass the input on."""
        return inputs


class ActivityRegularization(Identity):
    """`y = x`: it only adds to the loss, by `l1` and `l2`, while training."""

    def __init__(self, l1: float = 0.0, l2: float = 0.0, name: str | None = None) -> None:
        super().__init__(name)
        self.l1 = number("l1", l1)
        self.l2 = number("l2", l2)
