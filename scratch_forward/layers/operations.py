"""Functions of `keras.ops` that are nodes of a Functional model.

They result from operators on symbolic tensors (`2 * x + 1`, `x[:, 0]`), from calls to `keras.ops`,
and from masks that Keras computes: `NotEqual` after an Embedding, `LogicalOr` after an Add.
"""

from __future__ import annotations

import warnings
from collections.abc import Callable
from typing import Any

import numpy as np

from scratch_forward import activations
from scratch_forward.errors import InvalidOption
from scratch_forward.layers.base import Array, Generator, Layer
from scratch_forward.nested_arrays import leaves, map_leaves
from scratch_forward.symbolic import SymbolicTensor

# Largest number of elements in arrays that only serve to find a result's shape. An outer product of
# two such arrays takes at most 64 MB.
_MOST_ELEMENTS = 1 << 12
_LARGEST_SIZE = 1 << 16  # the largest size that an option may have


class Operation(Layer):
    """A NumPy function as a node of a graph. It has no weights and no entry in a weights file.

    Results have the dtype that Keras gives them. Floats are as wide as the layer's dtype, or
    float64 if an argument is. Integers have 32 bits unless an argument has 64.

    Args:
        function: Function of the call's arguments and of the options by name.
        options: Options by name, such as `axis`.
        name: Name of the node.
    """

    def __init__(
        self, function: Callable[..., Any], options: dict[str, Any], name: str | None = None
    ) -> None:
        super().__init__(name)
        self.function = function
        self.options = options
        self.built = True

    def convert(self, inputs: Any) -> Any:
        """Keep dtypes: masks stay boolean, and constants take the dtype of the other operand."""
        return inputs

    def apply(
        self, inputs: Any, _mask: Any, _generator: Generator | None, /, **arguments: Any
    ) -> Any:
        """Call the function."""
        types = [item.dtype for item in leaves([inputs, arguments]) if isinstance(item, np.ndarray)]
        return map_leaves(
            lambda result: _of_keras_type(result, types, self.dtype),
            self.function(*inputs, **self.options, **arguments),
        )

    def compute_call_shape(self, inputs: Any, arguments: dict[str, Any]) -> Any:
        """Return the shape of the result, found by calling the function on arrays of two sizes.

        A size that differs between both calls is unknown.
        """
        small, large = (self._shapes_for(inputs, arguments, size) for size in (2, 3))
        return _common(small, large)

    def _shapes_for(self, inputs: Any, arguments: dict[str, Any], open_size: int) -> Any:
        """Return the shape of the result if unknown sizes had this value."""
        tried = list(leaves([inputs, arguments]))
        full = sum(map(_elements, tried)) <= _MOST_ELEMENTS and len(tried) < 4

        def example(item: Any) -> Any:
            if not isinstance(item, SymbolicTensor):
                return item
            sizes = [open_size if size is None else size for size in item.shape]
            return np.zeros(sizes if full else [0, *sizes[1:]], np.float32)

        with np.errstate(all="ignore"), warnings.catch_warnings():
            warnings.simplefilter("ignore")
            result = self.function(
                *map_leaves(example, inputs), **self.options, **map_leaves(example, arguments)
            )
        return map_leaves(np.shape, list(result) if isinstance(result, list | tuple) else result)


def _elements(argument: Any) -> float:
    """Return the number of elements of an argument, with small values for unknown sizes."""
    if isinstance(argument, SymbolicTensor):
        return float(np.prod([3 if size is None else size for size in argument.shape], dtype=float))
    return np.size(argument) if isinstance(argument, np.ndarray) else 0


def _common(small: Any, large: Any) -> Any:
    """Return shapes with None where two sizes differ, or where the batch was empty."""
    if isinstance(small, list):
        return [_common(*pair) for pair in zip(small, large, strict=True)]
    sizes = [a if a == b and a else None for a, b in zip(small, large, strict=True)]
    return tuple(sizes)


def _of_keras_type(result: Any, types: list[np.dtype[Any]], dtype: np.dtype[Any]) -> Array:
    """Convert a result to the dtype that Keras gives it."""
    array = np.asarray(result)
    if array.dtype.kind == "f":
        wide = np.float64 in types
        return array.astype(np.float64 if wide else dtype, copy=False)
    if array.dtype == np.int64 and np.int64 not in types:
        return array.astype(np.int32)
    return array


def _axes(axis: Any) -> Any:
    """Convert an axis, or several axes, to the form that NumPy accepts."""
    return tuple(axis) if isinstance(axis, list) else axis


def _reduction(function: Callable[..., Any]) -> Callable[..., Any]:
    """Wrap a function that takes axes as a tuple."""

    def reduced(x: Any, axis: Any = None, keepdims: bool = False) -> Any:
        return function(x, axis=_axes(axis), keepdims=keepdims)

    return reduced


def _get_item(x: Any, key: Any) -> Any:
    return x[tuple(key) if isinstance(key, list) else key]


def _concatenate(xs: Any, axis: int = 0) -> Any:
    return np.concatenate(xs, axis=axis)


def _stack(xs: Any, axis: int = 0) -> Any:
    return np.stack(xs, axis=axis)


def _ones_like(x: Any, dtype: str | None = None) -> Any:
    return np.ones_like(x, dtype=_data_type(dtype))


def _zeros_like(x: Any, dtype: str | None = None) -> Any:
    return np.zeros_like(x, dtype=_data_type(dtype))


def _full_like(x: Any, fill_value: Any, dtype: str | None = None) -> Any:
    return np.full_like(x, fill_value, dtype=_data_type(dtype))


def _expand_dims(x: Any, axis: Any) -> Any:
    return np.expand_dims(x, _axes(axis))


def _squeeze(x: Any, axis: Any = None) -> Any:
    return np.squeeze(x, _axes(axis))


def _reshape(x: Any, newshape: Any) -> Any:
    return np.reshape(x, [-1 if size is None else size for size in newshape])


def _transpose(x: Any, axes: Any = None) -> Any:
    return np.transpose(x, axes)


def _where(condition: Any, x1: Any, x2: Any) -> Any:
    return np.where(condition, x1, x2)


def _cast(x: Any, dtype: str) -> Any:
    return np.asarray(x).astype(_data_type(dtype))


def _convert(x: Any, dtype: str | None = None, sparse: Any = None, ragged: Any = None) -> Any:
    return np.asarray(x, dtype=_data_type(dtype))


def _data_type(name: str | None) -> str | None:
    """Return the name of a supported dtype."""
    known = {"bool", "float32", "float64", "int8", "int16", "int32", "int64"}
    known |= {"uint8", "uint16", "uint32", "uint64"}
    if name is not None and name not in known:
        raise InvalidOption("dtype", name, ", ".join(sorted(known)))
    return name


def _clip(x: Any, x_min: Any, x_max: Any) -> Any:
    return np.clip(x, x_min, x_max)


def _extreme(function: Callable[..., Any]) -> Callable[..., Any]:
    """Make the function of `Max` or `Min`, with its option `initial`."""

    def reduced(x: Any, axis: Any = None, keepdims: bool = False, initial: Any = None) -> Any:
        found = function(x, axis=_axes(axis), keepdims=keepdims)
        pair = np.maximum if function is np.max else np.minimum
        return found if initial is None else pair(found, initial)

    return reduced


def _place(function: Callable[..., Any]) -> Callable[..., Any]:
    """Make the function of `Argmax` or `Argmin`."""

    def reduced(x: Any, axis: int | None = None, keepdims: bool = False) -> Any:
        return function(x, axis=axis, keepdims=keepdims)

    return reduced


def _take(x: Any, indices: Any, axis: int | None = None) -> Any:
    return np.take(x, np.asarray(indices, np.int64), axis=axis)


def _take_along_axis(x: Any, indices: Any, axis: int | None = None) -> Any:
    return np.take_along_axis(x, np.asarray(indices, np.int64), axis=axis)


def _split(x: Any, indices_or_sections: Any, axis: int = 0) -> list[Any]:
    return list(np.split(x, indices_or_sections, axis=axis))


def _unstack(x: Any, num: int | None = None, axis: int = 0) -> list[Any]:
    return [np.take(x, index, axis=axis) for index in range(np.shape(x)[axis])]


def _pad(x: Any, constant_values: Any = None, pad_width: Any = 0, mode: str = "constant") -> Any:
    _bounded("pad_width", pad_width)
    if mode == "constant":
        return np.pad(x, pad_width, constant_values=constant_values or 0)
    return np.pad(x, pad_width, mode=mode)  # type: ignore[call-overload]


def _bounded(option: str, sizes: Any) -> Any:
    """Return sizes from an option, after checking that they are not too large.

    Raises:
        InvalidOption: If one exceeds 65,536, as in a malicious file.
    """
    if any(isinstance(size, int) and size > _LARGEST_SIZE for size in leaves(sizes)):
        raise InvalidOption(option, sizes, f"at most {_LARGEST_SIZE}")
    return sizes


def _one_hot(x: Any, num_classes: int, axis: int = -1, dtype: Any = None, sparse: Any = 0) -> Any:
    _bounded("num_classes", num_classes)
    rows = np.asarray(x)[..., None] == np.arange(num_classes)
    return np.moveaxis(rows, -1, axis).astype(_data_type(dtype) or "float32")


def _einsum(*operands: Any, subscripts: str) -> Any:
    return np.einsum(subscripts, *operands)


def _tensordot(x1: Any, x2: Any, axes: Any = 2) -> Any:
    return np.tensordot(x1, x2, axes)


def _norm(x: Any, ord: Any = None, axis: Any = None, keepdims: bool = False) -> Any:
    return np.linalg.norm(x, ord=ord, axis=_axes(axis), keepdims=keepdims)


def _normalize(x: Any, axis: Any = -1, order: Any = 2, epsilon: float | None = None) -> Any:
    least = 1e-7 if epsilon is None else epsilon
    if order == 2:
        squared = np.sum(np.square(x), axis=_axes(axis), keepdims=True)
        return x / np.sqrt(np.maximum(squared, least))
    return x / np.maximum(np.linalg.norm(x, ord=order, axis=_axes(axis), keepdims=True), least)


def _divide_no_nan(x1: Any, x2: Any) -> Any:
    with np.errstate(all="ignore"):
        return np.where(np.equal(x2, 0), 0, np.divide(x1, x2))


def _log_sum_exp(x: Any, axis: Any = None, keepdims: bool = False) -> Any:
    largest = np.max(x, axis=_axes(axis), keepdims=True)
    largest = np.where(np.isfinite(largest), largest, 0)
    total = np.sum(np.exp(x - largest), axis=_axes(axis), keepdims=True)
    found = np.log(total) + largest
    return found if keepdims else np.squeeze(found, _axes(axis))


def _top_k(x: Any, k: int, sorted: bool = True) -> list[Any]:
    places = np.argsort(-np.asarray(x), axis=-1, kind="stable")[..., :k]
    return [np.take_along_axis(x, places, axis=-1), places]


def _rsqrt(x: Any) -> Any:
    return 1 / np.sqrt(x)


def _flip(x: Any, axis: Any = None) -> Any:
    return np.flip(x, _axes(axis))


def _repeat(x: Any, repeats: Any, axis: int | None = None) -> Any:
    return np.repeat(x, _bounded("repeats", repeats), axis=axis)


def _tile(x: Any, repeats: Any) -> Any:
    return np.tile(x, _bounded("repeats", repeats))


def _roll(x: Any, shift: Any, axis: Any = None) -> Any:
    return np.roll(x, _axes(shift), _axes(axis))


def _moveaxis(x: Any, source: Any, destination: Any) -> Any:
    return np.moveaxis(x, source, destination)


def _swapaxes(x: Any, axis1: int, axis2: int) -> Any:
    return np.swapaxes(x, axis1, axis2)


def _sum_up(function: Callable[..., Any]) -> Callable[..., Any]:
    """Make the function of `Cumsum` or `Cumprod`."""

    def running(x: Any, axis: int | None = None, dtype: str | None = None) -> Any:
        return function(x, axis=axis, dtype=_data_type(dtype))

    return running


def _product(x: Any, axis: Any = None, keepdims: bool = False, dtype: str | None = None) -> Any:
    return np.prod(x, axis=_axes(axis), keepdims=keepdims, dtype=_data_type(dtype))


def _diff(x: Any, n: int = 1, axis: int = -1) -> Any:
    return np.diff(x, n, axis)


def _sort(x: Any, axis: int = -1) -> Any:
    return np.sort(x, axis=axis)


def _argsort(x: Any, axis: int = -1) -> Any:
    return np.argsort(x, axis=axis, kind="stable")


def _round(x: Any, decimals: int = 0) -> Any:
    return np.round(x, decimals)


def _triangle(function: Callable[..., Any]) -> Callable[..., Any]:
    """Make the function of `Tril` or `Triu`."""

    def part(x: Any, k: int = 0) -> Any:
        return function(x, k)

    return part


def _broadcast_to(x: Any, shape: Any) -> Any:
    return np.broadcast_to(x, shape)


def _gelu(x: Any, approximate: bool = True) -> Any:
    return activations.gelu(_float(x), approximate)


def _softmax(x: Any, axis: Any = -1) -> Any:
    return activations.softmax(_float(x), _axes(axis))


def _log_softmax(x: Any, axis: Any = -1) -> Any:
    return activations.log_softmax(_float(x), _axes(axis))


def _leaky_relu(x: Any, negative_slope: float = 0.2) -> Any:
    return activations.leaky_relu(_float(x), negative_slope)


def _elu(x: Any, alpha: float = 1.0) -> Any:
    return activations.elu(_float(x), alpha)


def _float(x: Any) -> Array:
    """Convert to a float array, which activations need."""
    array = np.asarray(x)
    return array if array.dtype.kind == "f" else array.astype(np.float32)


def _activation(name: str) -> Callable[..., Any]:
    """Make the function of an activation without options."""
    function = activations.ACTIVATIONS[name]

    def activated(x: Any) -> Any:
        return function(_float(x))

    return activated


_ACTIVATIONS = {
    **{"Relu": "relu", "Relu6": "relu6", "Sigmoid": "sigmoid", "Softplus": "softplus"},
    **{"Softsign": "softsign", "Silu": "silu", "LogSigmoid": "log_sigmoid", "Selu": "selu"},
    **{"HardSigmoid": "hard_sigmoid", "HardSilu": "hard_silu", "HardTanh": "hard_tanh"},
    **{"TanhShrink": "tanh_shrink", "SparsePlus": "sparse_plus", "Tanh": "tanh"},
    "SparseSigmoid": "sparse_sigmoid",
}

OPERATIONS: dict[str, Callable[..., Any]] = {
    **{"Absolute": np.abs, "Abs": np.abs, "Add": np.add, "Arccos": np.arccos},
    **{"Arcsin": np.arcsin, "Arctan": np.arctan, "Arctan2": np.arctan2, "Ceil": np.ceil},
    **{"Cos": np.cos, "Cosh": np.cosh, "Divide": np.divide, "Equal": np.equal},
    **{"Exp": np.exp, "Expm1": np.expm1, "Floor": np.floor, "FloorDivide": np.floor_divide},
    **{"Greater": np.greater, "GreaterEqual": np.greater_equal, "Isfinite": np.isfinite},
    **{"Isinf": np.isinf, "Isnan": np.isnan, "Less": np.less, "LessEqual": np.less_equal},
    **{"Log": np.log, "Log10": np.log10, "Log1p": np.log1p, "Log2": np.log2},
    **{"Logaddexp": np.logaddexp, "LogicalAnd": np.logical_and, "LogicalNot": np.logical_not},
    **{"LogicalOr": np.logical_or, "LogicalXor": np.logical_xor, "Matmul": np.matmul},
    **{"Maximum": np.maximum, "Minimum": np.minimum, "Mod": np.mod, "Multiply": np.multiply},
    **{"Negative": np.negative, "NotEqual": np.not_equal, "Power": np.power},
    **{"Reciprocal": np.reciprocal, "Sign": np.sign, "Sin": np.sin, "Sinh": np.sinh},
    **{"Sqrt": np.sqrt, "Square": np.square, "Subtract": np.subtract, "Tan": np.tan},
    **{"TrueDivide": np.true_divide, "Rsqrt": _rsqrt, "DivideNoNan": _divide_no_nan},
    **{"All": _reduction(np.all), "Any": _reduction(np.any), "Mean": _reduction(np.mean)},
    **{"Std": _reduction(np.std), "Sum": _reduction(np.sum), "Var": _reduction(np.var)},
    **{"Amax": _reduction(np.max), "Amin": _reduction(np.min), "Prod": _product},
    **{"Median": _reduction(np.median), "Logsumexp": _log_sum_exp, "Norm": _norm},
    **{"Max": _extreme(np.max), "Min": _extreme(np.min)},
    **{"Argmax": _place(np.argmax), "Argmin": _place(np.argmin), "TopK": _top_k},
    **{"Sort": _sort, "Argsort": _argsort, "Take": _take, "TakeAlongAxis": _take_along_axis},
    **{"Concatenate": _concatenate, "Stack": _stack, "Split": _split, "Unstack": _unstack},
    **{"ExpandDims": _expand_dims, "Squeeze": _squeeze, "Reshape": _reshape, "Flip": _flip},
    **{"Transpose": _transpose, "Moveaxis": _moveaxis, "Swapaxes": _swapaxes, "Roll": _roll},
    **{"Repeat": _repeat, "Tile": _tile, "BroadcastTo": _broadcast_to, "Pad": _pad},
    **{"GetItem": _get_item, "Where": _where, "Clip": _clip, "OneHot": _one_hot},
    **{"Cast": _cast, "ConvertToTensor": _convert, "Cumsum": _sum_up(np.cumsum)},
    **{"Cumprod": _sum_up(np.cumprod), "Diff": _diff, "Round": _round, "Normalize": _normalize},
    **{"Tril": _triangle(np.tril), "Triu": _triangle(np.triu), "Einsum": _einsum},
    **{"Tensordot": _tensordot, "OnesLike": _ones_like, "ZerosLike": _zeros_like},
    **{"FullLike": _full_like, "StopGradient": np.asarray, "Copy": np.asarray},
    **{name: _activation(function) for name, function in _ACTIVATIONS.items()},
    **{"Gelu": _gelu, "Softmax": _softmax, "LogSoftmax": _log_softmax},
    **{"LeakyRelu": _leaky_relu, "Elu": _elu},
}
