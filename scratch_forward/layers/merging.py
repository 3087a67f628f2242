"""Layers that merge several inputs into one."""

from __future__ import annotations

import functools
from collections.abc import Sequence
from typing import Any

import numpy as np

from scratch_forward.errors import InvalidOption
from scratch_forward.layers.base import Array, Generator, Layer, Shape
from scratch_forward.layers.options import boolean


class _Merge(Layer):
    """An element-wise operation on inputs with broadcastable shapes.

    Inputs with fewer axes receive axes of size 1 after the batch axis. The mask of the output is
    the logical OR of all input masks. There is no mask if any input has none.
    """

    supports_masking = True

    def compute_output_shape(self, input_shape: list[Shape]) -> Shape:
        """Return the broadcast shape, with None for unknown sizes."""
        if not isinstance(input_shape, list):
            raise ValueError(f"Layer {self.name!r} merges a list of inputs, got one.")
        rank = max(map(len, input_shape))
        aligned = [(s[0], *(1,) * (rank - len(s)), *s[1:]) for s in input_shape]
        return tuple(_broadcast(sizes, self.name) for sizes in zip(*aligned, strict=True))

    def compute_mask(self, _inputs: Any, mask: Any) -> Any:
        """Return the logical OR of the masks, or None if any input has no mask."""
        if mask is None or any(one is None for one in mask):
            return None
        return functools.reduce(np.logical_or, mask)

    def call(self, inputs: list[Array]) -> Array:
        """Merge the inputs after giving them the same number of axes."""
        return self.merge(_align(inputs))

    def merge(self, inputs: list[Array]) -> Array:
        """Merge inputs that broadcast."""
        raise NotImplementedError


class Add(_Merge):
    """`x1 + x2 + ...`.

    Shapes: a list of broadcastable arrays `(N, ...)`, to their broadcast shape.

    Source: `keras.layers.Add` of Keras 3.
    """

    def merge(self, inputs: list[Array]) -> Array:
        """Add."""
        return functools.reduce(np.add, inputs)


class Subtract(_Merge):
    """`x1 - x2`.

    Shapes: a list of two broadcastable arrays `(N, ...)`, to their broadcast shape.

    Source: `keras.layers.Subtract` of Keras 3.
    """

    def merge(self, inputs: list[Array]) -> Array:
        """Subtract the second from the first."""
        if len(inputs) != 2:
            raise ValueError(f"Layer {self.name!r} subtracts 2 inputs, got {len(inputs)}.")
        return inputs[0] - inputs[1]


class Multiply(_Merge):
    """`x1 * x2 * ...`. Masked elements count as 1; the result is 0 where all inputs are masked.

    Shapes: a list of broadcastable arrays `(N, ...)`, to their broadcast shape.

    Source: `keras.layers.Multiply` of Keras 3.
    """

    def apply(self, inputs: Any, mask: Any, _generator: Generator | None, /, **_: Any) -> Array:
        """Multiply the elements that the masks keep."""
        arrays = _align(inputs)
        kept = [_spread(one, x) for one, x in zip(_masks(mask, arrays), arrays, strict=True)]
        factors = [
            x if keep is None else np.where(keep, x, x.dtype.type(1))
            for keep, x in zip(kept, arrays, strict=True)
        ]
        product: Array = functools.reduce(np.multiply, factors)
        if any(keep is None for keep in kept):
            return product
        return np.where(functools.reduce(np.logical_or, kept), product, product.dtype.type(0))


class Average(_Merge):
    """`(x1 + x2 + ...) / n`.

    Shapes: a list of n broadcastable arrays `(N, ...)`, to their broadcast shape.

    Source: `keras.layers.Average` of Keras 3.
    """

    def merge(self, inputs: list[Array]) -> Array:
        """Add and divide."""
        return functools.reduce(np.add, inputs) / len(inputs)


class _Extremum(_Merge):
    """The maximum or minimum. Elements that are not masked take precedence over masked ones."""

    choose: np.ufunc

    def apply(self, inputs: Any, mask: Any, _generator: Generator | None, /, **_: Any) -> Array:
        """Reduce pairs of inputs, replacing masked elements by those of the other input."""
        arrays = _align(inputs)
        masks = _masks(mask, arrays)
        chosen, kept = arrays[0], _spread(masks[0], arrays[0])
        for array, its_mask in zip(arrays[1:], masks[1:], strict=True):
            its_kept = _spread(its_mask, array)
            other = array if its_kept is None else np.where(its_kept, array, chosen)
            chosen = chosen if kept is None else np.where(kept, chosen, other)
            both = kept is not None and its_kept is not None
            kept = np.logical_or(kept, its_kept) if both else None
            chosen = self.choose(chosen, other)
        return chosen


class Maximum(_Extremum):
    """`max(x1, x2, ...)`. If only one of two elements is masked, the other is the result.

    Shapes: a list of broadcastable arrays `(N, ...)`, to their broadcast shape.

    Source: `keras.layers.Maximum` of Keras 3.
    """

    choose = np.maximum


class Minimum(_Extremum):
    """`min(x1, x2, ...)`. If only one of two elements is masked, the other is the result.

    Shapes: a list of broadcastable arrays `(N, ...)`, to their broadcast shape.

    Source: `keras.layers.Minimum` of Keras 3.
    """

    choose = np.minimum


class Concatenate(Layer):
    """The concatenation of the inputs along an axis.

    If any input has a mask, the masks are concatenated as well, and the output's mask is their
    logical OR along the last axis. An input without a mask counts as all True.

    Shapes: a list of arrays `(N, ...)` with equal sizes except along `axis`, to the shape with the
    sum of their sizes along `axis`.

    Source: `keras.layers.Concatenate` of Keras 3.

    Args:
        axis: Axis of the concatenation.
    """

    supports_masking = True

    def __init__(self, axis: int = -1, name: str | None = None) -> None:
        super().__init__(name)
        if isinstance(axis, bool) or not isinstance(axis, int):
            raise InvalidOption("axis", axis, "an integer")
        self.axis = axis

    def compute_output_shape(self, input_shape: list[Shape]) -> Shape:
        """Return the shape of the first input with the sum of sizes along the axis."""
        if not isinstance(input_shape, list):
            raise ValueError(f"Layer {self.name!r} joins a list of inputs, got one.")
        sizes = [shape[self.axis] for shape in input_shape]
        joined = list(input_shape[0])
        joined[self.axis] = None if None in sizes else sum(size for size in sizes if size)
        return tuple(joined)

    def compute_mask(self, inputs: Any, mask: Any) -> Any:
        """Concatenate the masks in the same way as the inputs."""
        if mask is None or all(one is None for one in mask):
            return None
        joined = [
            np.broadcast_to(_spread(one, x, default=True), np.shape(x))
            if one is None or np.ndim(one) < np.ndim(x)
            else one
            for one, x in zip(mask, inputs, strict=True)
        ]
        return np.concatenate(joined, axis=self.axis).any(axis=-1)

    def call(self, inputs: list[Array]) -> Array:
        """Concatenate."""
        return np.concatenate(inputs, axis=self.axis)


class Dot(Layer):
    """The dot product of two inputs along one axis of each, per example: `x1[n] . x2[n]`.

    The mask is dropped.

    Shapes: a list of two arrays `(N, ...)`, to N, the other axes of the first input, and those of
    the second; `(N, 1)` if there are none.

    Source: `keras.layers.Dot` of Keras 3.

    Args:
        axes: Axis of both inputs, or a pair of axes.
        normalize: Whether to divide each input by its Euclidean norm along the axis first.
    """

    supports_masking = True

    def __init__(
        self, axes: int | Sequence[int], normalize: bool = False, name: str | None = None
    ) -> None:
        super().__init__(name)
        pair = tuple(axes) if isinstance(axes, list | tuple) else (axes, axes)
        if len(pair) != 2 or any(isinstance(i, bool) or not isinstance(i, int) for i in pair):
            raise InvalidOption("axes", axes, "an axis or a pair of them")
        self.axes = pair
        self.normalize = boolean("normalize", normalize)

    def compute_output_shape(self, input_shape: list[Shape]) -> Shape:
        """Return the shape of the remaining axes."""
        first, second = (
            [size for i, size in enumerate(shape) if i != axis % len(shape)]
            for shape, axis in zip(input_shape, self.axes, strict=True)
        )
        left = (*first, *second[1:])
        return left if len(left) > 1 else (*left, 1)

    def compute_mask(self, _inputs: Any, _mask: Any) -> None:
        """Return None, as Keras does."""
        return

    def call(self, inputs: list[Array]) -> Array:
        """Multiply and sum along the axes."""
        first, second = (
            np.moveaxis(self._normalized(x, axis), axis, -1)
            for x, axis in zip(inputs, self.axes, strict=True)
        )
        rows = first.reshape(len(first), -1, first.shape[-1])
        columns = second.reshape(len(second), -1, second.shape[-1]).transpose(0, 2, 1)
        outputs = (rows @ columns).reshape(*first.shape[:-1], *second.shape[1:-1])
        return outputs if outputs.ndim > 1 else outputs[:, None]

    def _normalized(self, x: Array, axis: int) -> Array:
        """Divide by the norm along an axis if `normalize` is set."""
        if not self.normalize:
            return x
        square = np.sum(x * x, axis=axis, keepdims=True)
        return x / np.sqrt(np.maximum(square, x.dtype.type(1e-12)))


def _align(inputs: list[Array]) -> list[Array]:
    """Give all inputs the same number of axes, with new axes after the batch axis."""
    rank = max(x.ndim for x in inputs)
    return [x.reshape(len(x), *(1,) * (rank - x.ndim), *x.shape[1:]) for x in inputs]


def _masks(mask: Any, arrays: list[Array]) -> Sequence[Any]:
    """Return one mask or None per array."""
    return mask if isinstance(mask, list | tuple) else [mask] * len(arrays)


def _spread(mask: Array | None, x: Array, default: bool | None = None) -> Any:
    """Expand a mask to the axes of its array."""
    if mask is None:
        return None if default is None else np.full(np.shape(x), default)
    return np.broadcast_to(np.asarray(mask, bool)[..., None], np.shape(x))


def _broadcast(sizes: Sequence[int | None], name: str) -> int | None:
    """Return the size to which several sizes of one axis broadcast."""
    known = {size for size in sizes if size not in (None, 1)}
    if len(known) > 1:
        raise ValueError(f"Layer {name!r} merges inputs whose sizes {tuple(sizes)} do not fit.")
    if known:
        return known.pop() if None not in sizes else None
    return None if None in sizes else 1
