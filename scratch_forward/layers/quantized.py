"""Dense, EinsumDense and Embedding with weights of 8 or 4 bits, as `model.quantize` makes them.

A weight w is stored as an integer q with a scale: `w = q / scale`. With blocks, several rows of a
kernel share a scale and a zero point: `w = (q - zero) * scale`. In int8 layers the inputs are also
rounded to integers, one scale per example and position, before they are multiplied.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Any

import numpy as np

from scratch_forward.errors import InvalidOption
from scratch_forward.layers.base import Array, Layer, Shape
from scratch_forward.layers.core import Dense, Embedding
from scratch_forward.layers.einsum_dense import EinsumDense
from scratch_forward.layers.options import integers, number

_POLICIES = ("QuantizedDTypePolicy", "Int4DTypePolicy")
_OTHER_POLICIES = ("QuantizedFloat8DTypePolicy", "GPTQDTypePolicy", "AWQDTypePolicy")
_SUPPORTED = "float policies, and int8 and int4 from float32"
_LARGEST = 127


@dataclass(frozen=True)
class InputQuantizer:
    """Rounding of inputs to integers, Keras's `AbsMaxQuantizer`.

    Attributes:
        least: Smallest integer.
        most: Largest integer.
        epsilon: Added to the largest absolute value, against division by zero.
    """

    least: float = -_LARGEST
    most: float = _LARGEST
    epsilon: float = 1e-7

    def __call__(self, inputs: Array, axes: tuple[int, ...]) -> tuple[Array, Array]:
        """Return integers as floats, and the scale over `axes`, always by float32 arithmetic.

        In float64 a number next to the middle between two integers could be rounded to the other.
        """
        x = inputs.astype(np.float32)
        size = np.abs(x).max(axis=axes, keepdims=True) + np.float32(self.epsilon)
        scale = np.float32(self.most) / size
        whole = np.clip(np.round(x * scale), np.float32(self.least), np.float32(self.most))
        return whole.astype(inputs.dtype), scale.astype(inputs.dtype)


@dataclass(frozen=True)
class Quantization:
    """How a layer is quantized.

    Attributes:
        bits: 8 or 4.
        block: Number of rows that share a scale and a zero point. None for one scale per column.
        inputs: Rounding of the inputs. None if they are not rounded.
    """

    bits: int
    block: int | None
    inputs: InputQuantizer | None

    def packed(self, columns: int | None) -> int | None:
        """Return the number of stored columns: 4-bit integers are stored in pairs."""
        return columns if self.bits == 8 or columns is None else (columns + 1) // 2

    def blocks(self, rows: int | None) -> tuple[int, ...]:
        """Return the number of blocks of so many rows, or nothing without blocks."""
        return () if self.block is None or rows is None else (math.ceil(rows / self.block),)

    def unpacked(self, stored: Array, columns: int) -> Array:
        """Return the integers of a matrix, stored as int8: 4-bit pairs have the first one low."""
        if self.bits == 8:
            return stored
        pairs = stored.astype(np.int8).view(np.uint8)
        both = np.stack([pairs & 15, pairs >> 4], axis=-1).reshape(*pairs.shape[:-1], -1)
        return (((both ^ 8).astype(np.int8) - 8)[..., :columns]).astype(stored.dtype)


def is_quantized(policy: Any) -> bool:
    """Whether a dtype policy of a configuration is one of quantized weights."""
    if isinstance(policy, dict):
        return policy.get("class_name") in (*_POLICIES, *_OTHER_POLICIES)
    return isinstance(policy, str) and "_from_" in policy


def quantization_of(policy: Any, config: Any) -> Quantization:
    """Read the quantization of a layer from its configuration.

    Args:
        policy: The dtype policy of the layer.
        config: Its `quantization_config`.

    Raises:
        InvalidOption: If it is not supported.
    """
    mode, block = _mode_of(policy)
    given = config.get("config") if isinstance(config, dict) else None
    if config is not None and not isinstance(given, dict):
        raise InvalidOption("quantization_config", config, "a configuration of Keras, or null")
    if given is not None and mode == "int4":
        block = given.get("block_size")
    block = None if block in (None, -1) else integers("block_size", block, 1)[0]
    if given is None:
        inputs = InputQuantizer() if mode == "int8" else None
    else:
        inputs = _input_quantizer(given.get("activation_quantizer"))
    return Quantization(8 if mode == "int8" else 4, block if mode == "int4" else None, inputs)


def _mode_of(policy: Any) -> tuple[str, int | None]:
    """Return `"int8"` or `"int4"`, and the block size in the policy."""
    if isinstance(policy, dict):
        settings = policy.get("config")
        settings = settings if isinstance(settings, dict) else {}
        known = policy.get("class_name") in _POLICIES
        name, source = settings.get("mode"), settings.get("source_name")
    else:
        known = True
        name, _, source = policy.partition("_from_")
    mode, _, block = str(name).partition("/")
    digits = block.removeprefix("-")
    if not known or mode not in ("int8", "int4") or source not in ("float32", None):
        raise InvalidOption("dtype", name if known else policy.get("class_name"), _SUPPORTED)
    if block and not (digits.isdecimal() and len(digits) < 10):
        raise InvalidOption("dtype", name, _SUPPORTED)
    return mode, int(block) if block else None


def _input_quantizer(config: Any) -> InputQuantizer | None:
    if config is None:
        return None
    settings = config.get("config") if isinstance(config, dict) else None
    if not isinstance(settings, dict) or config.get("class_name") != "AbsMaxQuantizer":
        raise InvalidOption("activation_quantizer", config, "AbsMaxQuantizer, or null")
    least, most = integers("value_range", settings.get("value_range"), 2, least=-128)
    if not least < 0 < most <= _LARGEST or settings.get("output_dtype") != "int8":
        raise InvalidOption("activation_quantizer", settings, "integers from -128 to 127")
    return InputQuantizer(least, most, number("epsilon", settings.get("epsilon"), least=0))


class _Quantized(Layer):
    """A layer of which one weight is stored in 8 or 4 bits."""

    def __init__(self, quantization: Quantization, **options: Any) -> None:
        super().__init__(**options)
        self.quantization = quantization


class QuantizedDense(_Quantized, Dense):
    """`Dense` with a kernel of 8 or 4 bits.

    Shapes: as `Dense`; kernel `(features, units)`, 4-bit pairs `(features, ceil(units / 2))`; scale
    `(units,)`, or `(blocks, units)`.

    Source: `keras.layers.Dense` of Keras 3, after `quantize`.

    Args:
        quantization: How the kernel is stored.
        **options: Options of `Dense`.
    """

    keras_class = "Dense"

    def weight_shapes(self, input_shape: Shape) -> dict[str, Any]:
        """Return the shapes of the weights as they are stored."""
        shapes = super().weight_shapes(input_shape)
        shapes["kernel"] = (input_shape[-1], self.quantization.packed(self.units))
        blocks = self.quantization.blocks(input_shape[-1])
        return shapes | _scales("kernel", (*blocks, self.units), input_shape[-1], bool(blocks))

    def call(self, inputs: Array) -> Array:
        """Multiply integers, divide by the scales, add the bias and apply the activation."""
        kernel = self.quantization.unpacked(self.weights["kernel"], self.units)
        scale = self.weights["kernel_scale"]
        if self.quantization.block is not None:
            outputs = inputs @ _of_blocks(kernel, self.weights, "kernel")
        elif self.quantization.inputs is None:
            outputs = inputs @ kernel / scale
        else:
            whole, input_scale = self.quantization.inputs(inputs, (-1,))
            outputs = _exact(whole) @ _exact(kernel)
            outputs = outputs.astype(inputs.dtype) / (scale * input_scale)
        if self.use_bias:
            outputs = outputs + self.weights["bias"]
        return self.activation(outputs)


class QuantizedEinsumDense(_Quantized, EinsumDense):
    """`EinsumDense` with a kernel of 8 or 4 bits.

    Shapes: as `EinsumDense`. The scale of 8-bit integers has the axes of y. 4-bit pairs are a
    matrix; its rows are the axes of the kernel that are summed, its columns the others.

    Source: `keras.layers.EinsumDense` of Keras 3, after `quantize`.

    Args:
        quantization: How the kernel is stored.
        **options: Options of `EinsumDense`. Keras does not quantize equations with `...`.
    """

    keras_class = "EinsumDense"

    def __init__(self, quantization: Quantization, **options: Any) -> None:
        super().__init__(quantization, **options)
        if self._elided_left or self._elided_right:
            raise InvalidOption("equation", self.equation, "letters, in a quantized layer")
        self._kernel_shape: tuple[int, ...] = ()

    def weight_shapes(self, input_shape: Shape) -> dict[str, Any]:
        """Return the shapes of the weights as they are stored."""
        shapes = super().weight_shapes(input_shape)
        self._kernel_shape = shapes["kernel"]
        if None in self._kernel_shape:
            return shapes
        sizes = dict(zip(self._kernel_axes, self._kernel_shape, strict=True))
        if self.quantization.bits == 8:
            scale = tuple(sizes.get(letter, 1) for letter in self._output_axes)
            return shapes | {"kernel_scale": scale}
        rows = math.prod(n for letter, n in sizes.items() if letter not in self._output_axes)
        columns = math.prod(self._kernel_shape) // rows
        shapes["kernel"] = (rows, self.quantization.packed(columns))
        blocks = self.quantization.blocks(rows)
        return shapes | _scales("kernel", (*blocks, columns), rows, bool(blocks))

    def call(self, inputs: Array) -> Array:
        """Compute the sum, divide by the scales, add the bias and apply the activation."""
        outputs = self._sum_of_8_bits(inputs) if self.quantization.bits == 8 else self._sum(inputs)
        if self.bias_axes is not None:
            outputs = outputs + self.weights["bias"]
        return self.activation(outputs)

    def _sum_of_8_bits(self, inputs: Array) -> Array:
        kernel, scale = self.weights["kernel"], self.weights["kernel_scale"]
        if self.quantization.inputs is None:
            return self._product(inputs, kernel) / scale
        whole, input_scale = self._rounded(inputs, self.quantization.inputs)
        total = self._product(_exact(whole), _exact(kernel)).astype(inputs.dtype)
        return total / (input_scale * scale)

    def _sum(self, inputs: Array) -> Array:
        """Sum with the real kernel of 4-bit integers."""
        scale = self.weights["kernel_scale"]
        integers_of_kernel = self.quantization.unpacked(self.weights["kernel"], scale.shape[-1])
        if self.quantization.block is not None:
            kernel = _of_blocks(integers_of_kernel, self.weights, "kernel")
        else:
            kernel = integers_of_kernel / scale
        kernel = kernel.reshape(self._kernel_shape)
        if self.quantization.inputs is None or self.quantization.block is not None:
            return self._product(inputs, kernel)
        whole, input_scale = self._rounded(inputs, self.quantization.inputs)
        return self._product(whole, kernel) / input_scale

    def _product(self, inputs: Array, kernel: Array) -> Array:
        product: Array = np.einsum(self.equation, inputs, kernel, optimize=True)
        return product

    def _rounded(self, inputs: Array, quantizer: InputQuantizer) -> tuple[Array, Array]:
        """Round the inputs. Returns integers, and the scale with the axes of y."""
        summed = [i for i, letter in enumerate(self._input_axes) if letter not in self._output_axes]
        whole, scale = quantizer(inputs, tuple(summed))
        kept = "".join(letter for letter in self._input_axes if letter in self._output_axes)
        ordered = "".join(letter for letter in self._output_axes if letter in kept)
        scale = np.einsum(f"{kept}->{ordered}", scale.squeeze(tuple(summed)))
        new = [i for i, letter in enumerate(self._output_axes) if letter not in kept]
        return whole, np.expand_dims(scale, new)


class QuantizedEmbedding(_Quantized, Embedding):
    """`Embedding` with a table of 8 or 4 bits.

    Shapes: as `Embedding`; table `(input_dim, output_dim)`, 4-bit pairs `(input_dim,
    ceil(output_dim / 2))`; scale `(input_dim,)`, or `(input_dim, blocks)`.

    Source: `keras.layers.Embedding` of Keras 3, after `quantize`.

    Args:
        quantization: How the table is stored.
        **options: Options of `Embedding`.
    """

    keras_class = "Embedding"

    def weight_shapes(self, _input_shape: Shape) -> dict[str, Any]:
        """Return the shapes of the weights as they are stored."""
        table = (self.input_dim, self.quantization.packed(self.output_dim))
        blocks = self.quantization.blocks(self.output_dim)
        scale = (self.input_dim, *blocks)
        return {"embeddings": table} | _scales("embeddings", scale, self.output_dim, bool(blocks))

    def call(self, inputs: Array) -> Array:
        """Look up the rows, and divide them by their scales."""
        at = self.positions(inputs)
        rows = self.quantization.unpacked(self.weights["embeddings"][at], self.output_dim)
        scale = self.weights["embeddings_scale"][at]
        if self.quantization.block is None:
            return rows / scale[..., None]
        groups = _groups(self.weights, scale.shape[-1])
        zero = self.weights["embeddings_zero"][at]
        product: Array = (rows - zero[..., groups]) * scale[..., groups]
        return product


def _scales(name: str, shape: Shape, rows: int | None, with_blocks: bool) -> dict[str, Any]:
    """Return the shapes of scales; of blocks also those of zero points and of each row's block."""
    scales: dict[str, Any] = {f"{name}_scale": shape}
    return scales | ({f"{name}_zero": shape, "g_idx": (rows,)} if with_blocks else {})


def _of_blocks(whole: Array, weights: dict[str, Array], name: str) -> Array:
    """Return the real matrix of integers `(rows, columns)` with a scale per block of rows."""
    scale = weights[f"{name}_scale"]
    groups = _groups(weights, len(scale))
    product: Array = (whole - weights[f"{name}_zero"][groups]) * scale[groups]
    return product


def _groups(weights: dict[str, Array], count: int) -> Array:
    """Return the block of each row."""
    groups = weights["g_idx"].astype(np.int64)
    if groups.size and not 0 <= groups.min() <= groups.max() < count:
        raise ValueError(f"The weights name blocks outside 0 to {count - 1}.")
    return groups


def _exact(whole: Array) -> Array:
    """Return integers in float64, whose products have no rounding errors."""
    return whole.astype(np.float64)


QUANTIZED: dict[type[Layer], type[Layer]] = {
    Dense: QuantizedDense,
    EinsumDense: QuantizedEinsumDense,
    Embedding: QuantizedEmbedding,
}
