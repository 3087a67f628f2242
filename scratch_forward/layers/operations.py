"""Functions that Keras writes into a functional model's file as steps of their own.

Masks are the common case: `NotEqual` after an Embedding, `LogicalOr` after an Add. Arithmetic on
symbolic tensors, such as `2 * x + 1`, is the other.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np

from scratch_forward.layers.base import Array, Generator, Layer


class Operation(Layer):
    """A NumPy function as a step of a graph; it has no weights and no place in a weights file.

    Args:
        function: What it computes, from the inputs and then the options by name.
        options: Options by name, such as `axis`.
        name: Name of the step.
    """

    def __init__(
        self, function: Callable[..., Array], options: dict[str, Any], name: str | None = None
    ) -> None:
        super().__init__(name)
        self.function = function
        self.options = options

    def convert(self, inputs: Any) -> Any:
        """Keep data types (masks stay bool); only constants meet a number of the layer's type."""
        return inputs

    def apply(
        self, inputs: Any, _mask: Any, _generator: Generator | None, /, **options: Any
    ) -> Any:
        """Call the function."""
        return self.function(*inputs, **self.options, **options)

    def compute_output_shape(self, input_shape: Any) -> Any:
        """Return the shape of the function's result, found by calling it on arrays of no rows."""
        examples = [_example(shape) for shape in input_shape]
        shape = np.shape(self.function(*examples, **self.options))
        return (None, *shape[1:])


def _example(shape: Any) -> Any:
    """Return an array of a shape, of no examples so that it takes no memory, or a list of them.

    Other open sizes are 1.
    """
    if isinstance(shape, list):
        return [_example(one) for one in shape]
    batch = [0 if size is None else size for size in shape[:1]]
    return np.zeros([*batch, *(1 if size is None else size for size in shape[1:])], np.float32)


def _concatenate(xs: Any, axis: int = -1) -> Array:
    return np.concatenate(xs, axis=axis)


def _ones_like(x: Any, dtype: str | None = None) -> Array:
    return np.ones_like(x, dtype=dtype)


def _zeros_like(x: Any, dtype: str | None = None) -> Array:
    return np.zeros_like(x, dtype=dtype)


def _expand_dims(x: Any, axis: Any) -> Array:
    return np.expand_dims(x, axis)


def _squeeze(x: Any, axis: Any = None) -> Array:
    return np.squeeze(x, axis)


def _any(x: Any, axis: Any = None, keepdims: bool = False) -> Array:
    return np.any(x, axis=None if axis is None else tuple(np.atleast_1d(axis)), keepdims=keepdims)


OPERATIONS: dict[str, Callable[..., Any]] = {
    "Add": np.add,
    "Any": _any,
    "Concatenate": _concatenate,
    "Divide": np.divide,
    "ExpandDims": _expand_dims,
    "LogicalAnd": np.logical_and,
    "LogicalOr": np.logical_or,
    "Maximum": np.maximum,
    "Minimum": np.minimum,
    "Multiply": np.multiply,
    "Negative": np.negative,
    "NotEqual": np.not_equal,
    "OnesLike": _ones_like,
    "Squeeze": _squeeze,
    "Subtract": np.subtract,
    "TrueDivide": np.true_divide,
    "ZerosLike": _zeros_like,
}
