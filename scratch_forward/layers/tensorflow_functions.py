"""TensorFlow functions that Keras 2 writes to a Functional model where Keras 3 has `keras.ops`."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np

from scratch_forward.layers.operations import OPERATIONS


def _named(operation: str, *names: str) -> Callable[..., Any]:
    """Make a function with TensorFlow's argument names, in the order of the operation."""
    function = OPERATIONS[operation]

    def call(*args: Any, name: Any = None, **arguments: Any) -> Any:
        given = dict(zip(names, args, strict=False)) | arguments
        unknown = given.keys() - set(names)
        if unknown:
            raise ValueError(f"Operation {operation!r} is called with {sorted(unknown)}.")
        return function(*(given[name] for name in names if name in given))

    return call


def _reduction(function: Callable[..., Any]) -> Callable[..., Any]:
    def call(input_tensor: Any, axis: Any = None, keepdims: bool = False, name: Any = None) -> Any:
        axes = tuple(axis) if isinstance(axis, list) else axis
        return function(input_tensor, axis=axes, keepdims=keepdims)

    return call


def _slice(tensor: Any, slice_spec: Any, var: Any = None, name: Any = None) -> Any:
    """Slice by the dicts of `start`, `stop` and `step` that Keras 2 writes."""
    items = slice_spec if isinstance(slice_spec, list) else [slice_spec]
    return tensor[tuple(map(_slice_item, items))]


def _slice_item(item: Any) -> Any:
    if isinstance(item, dict):
        return slice(item.get("start"), item.get("stop"), item.get("step"))
    return Ellipsis if item == "Ellipsis" else item


def _concat(values: Any, axis: int, name: Any = None) -> Any:
    return np.concatenate(values, axis=axis)


def _matmul(a: Any, b: Any, transpose_a: bool = False, transpose_b: bool = False, **_: Any) -> Any:
    left = np.swapaxes(a, -1, -2) if transpose_a else a
    return np.matmul(left, np.swapaxes(b, -1, -2) if transpose_b else b)


_PAIRS = {
    **{"math.add": "Add", "__operators__.add": "Add", "math.subtract": "Subtract"},
    **{"math.multiply": "Multiply", "math.divide": "TrueDivide", "math.truediv": "TrueDivide"},
    **{"math.pow": "Power", "math.maximum": "Maximum", "math.minimum": "Minimum"},
    **{"math.greater": "Greater", "math.less": "Less", "math.equal": "Equal"},
    **{"math.not_equal": "NotEqual", "math.greater_equal": "GreaterEqual"},
    **{"math.less_equal": "LessEqual", "math.floordiv": "FloorDivide", "math.floormod": "Mod"},
    **{"math.logical_and": "LogicalAnd", "math.logical_or": "LogicalOr"},
    **{"math.divide_no_nan": "DivideNoNan"},
}
_SINGLE = {
    **{"math.negative": "Negative", "math.abs": "Absolute", "math.exp": "Exp", "math.log": "Log"},
    **{"math.sqrt": "Sqrt", "math.square": "Square", "math.tanh": "Tanh", "math.sin": "Sin"},
    **{"math.cos": "Cos", "math.sigmoid": "Sigmoid", "math.rsqrt": "Rsqrt", "math.sign": "Sign"},
    **{"math.floor": "Floor", "math.ceil": "Ceil", "math.round": "Round"},
    **{"math.logical_not": "LogicalNot", "math.softplus": "Softplus"},
    **{"nn.relu": "Relu", "nn.relu6": "Relu6", "nn.tanh": "Tanh", "nn.sigmoid": "Sigmoid"},
    **{"nn.elu": "Elu", "nn.selu": "Selu", "nn.silu": "Silu", "stop_gradient": "StopGradient"},
    **{"identity": "StopGradient"},
}

TENSORFLOW_FUNCTIONS: dict[str, Callable[..., Any]] = {
    **{name: _named(operation, "x", "y") for name, operation in _PAIRS.items()},
    **{name: _named(operation, "x") for name, operation in _SINGLE.items()},
    "math.reduce_mean": _reduction(np.mean),
    "math.reduce_sum": _reduction(np.sum),
    "math.reduce_max": _reduction(np.max),
    "math.reduce_min": _reduction(np.min),
    "math.reduce_prod": _reduction(np.prod),
    "math.reduce_std": _reduction(np.std),
    "math.reduce_variance": _reduction(np.var),
    "__operators__.getitem": _slice,
    "concat": _concat,
    "linalg.matmul": _matmul,
    "reshape": _named("Reshape", "tensor", "shape"),
    "cast": _named("Cast", "x", "dtype"),
    "expand_dims": _named("ExpandDims", "input", "axis"),
    "squeeze": _named("Squeeze", "input", "axis"),
    "compat.v1.transpose": _named("Transpose", "a", "perm"),
    "transpose": _named("Transpose", "a", "perm"),
    "stack": _named("Stack", "values", "axis"),
    "clip_by_value": _named("Clip", "t", "clip_value_min", "clip_value_max"),
    "nn.softmax": _named("Softmax", "logits", "axis"),
    "where": _named("Where", "condition", "x", "y"),
}
