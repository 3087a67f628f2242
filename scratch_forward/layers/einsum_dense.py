"""`EinsumDense`: a dense layer over arbitrary axes, defined by an Einstein summation."""

from __future__ import annotations

import re
from collections.abc import Sequence
from typing import Any

import numpy as np

from scratch_forward.activations import Activation as ActivationFunction
from scratch_forward.errors import InvalidOption
from scratch_forward.layers.base import Array, Layer, Shape
from scratch_forward.layers.options import activation_option

_EQUATION = re.compile(
    r"(?P<left>\.\.\.)?([a-zA-Z]+)(?P<right>\.\.\.)?,([a-zA-Z]+)->(\.\.\.)?([a-zA-Z]+)(\.\.\.)?"
)


class EinsumDense(Layer):
    """`y = activation(einsum(equation, x, kernel) + bias)`. The mask is dropped.

    Shapes: defined by the equation. `"abc,cde->abde"` maps x `(a, b, c)` with a kernel `(c, d, e)`
    to y `(a, b, d, e)`, where a is the batch N. `...` stands for axes that do not change. The bias
    has the sizes of `bias_axes`, and size 1 for other axes after the first of them.

    Source: `keras.layers.EinsumDense` of Keras 3.

    Args:
        equation: `"x,kernel->y"` with one letter per axis. `...` may be first or last in x and y.
        output_shape: Sizes of y without the batch and without the axes of `...`. None for a size
            that equals that of the input.
        activation: A name, a function, or an activation layer without weights.
        bias_axes: Letters of y that have a bias. By default there is no bias.
    """

    def __init__(
        self,
        equation: str,
        output_shape: Any,
        activation: str | ActivationFunction | None = None,
        bias_axes: str | None = None,
        name: str | None = None,
    ) -> None:
        super().__init__(name)
        self.equation = equation
        self._parse()
        self.partial_output_shape = output_sizes(output_shape)
        self.activation = activation_option("activation", activation)
        if bias_axes is not None and not (
            isinstance(bias_axes, str) and bias_axes and set(bias_axes) <= set(self._output_axes)
        ):
            raise InvalidOption("bias_axes", bias_axes, f"letters of {self._output_axes!r}")
        self.bias_axes = bias_axes

    def _parse(self) -> None:
        """Split the equation into the letters of x, the kernel and y."""
        found = _EQUATION.fullmatch(self.equation) if isinstance(self.equation, str) else None
        dots = [bool(found[i]) for i in ("left", "right", 5, 7)] if found else []
        if found is None or dots[:2] != dots[2:] or all(dots[:2]):
            nearest = "'x,kernel->y' in letters, with `...` first or last in both x and y"
            raise InvalidOption("equation", self.equation, nearest)
        self._elided_left, self._elided_right = dots[:2]
        self._input_axes, self._kernel_axes, self._output_axes = found[2], found[4], found[6]
        letters = set(self._input_axes + self._kernel_axes)
        if not set(self._output_axes) <= letters or not set(self._kernel_axes) <= set(
            self._input_axes + self._output_axes
        ):
            nearest = "an equation whose kernel has letters of x or y, and y letters of x or kernel"
            raise InvalidOption("equation", self.equation, nearest)

    def _axis_sizes(self, input_shape: Shape) -> dict[str, int | None]:
        """Return the size of every letter. Sizes of y are those given, else those of the input."""
        elided = len(input_shape) - len(self._input_axes)
        if elided < 0 or (elided and not (self._elided_left or self._elided_right)):
            raise ValueError(
                f"Layer {self.name!r} computes {self.equation!r} of an input {input_shape}."
            )
        first = elided if self._elided_left else 0
        sizes = dict(zip(self._input_axes, input_shape[first:], strict=False))
        stated = (*input_shape[: max(first, 1)], *self.partial_output_shape)[first:]
        if len(stated) != len(self._output_axes):
            raise ValueError(
                f"Layer {self.name!r} has an output {self._output_axes!r} of "
                f"{len(self._output_axes)} axes and sizes {stated} for them."
            )
        for letter, size in zip(self._output_axes, stated, strict=True):
            if size is not None and sizes.setdefault(letter, size) not in (None, size):
                raise ValueError(
                    f"Layer {self.name!r} has size {size} for {letter!r}; the input has "
                    f"{sizes[letter]}."
                )
        return sizes

    def weight_shapes(self, input_shape: Shape) -> dict[str, Any]:
        """Return the shapes of the kernel and the bias."""
        sizes = self._axis_sizes(input_shape)
        shapes = {"kernel": tuple(sizes.get(letter) for letter in self._kernel_axes)}
        if self.bias_axes is not None:
            first = min(map(self._output_axes.index, self.bias_axes))
            kept = self._output_axes[first:]
            bias = [sizes.get(letter) if letter in self.bias_axes else 1 for letter in kept]
            after = len(input_shape) - len(self._input_axes) if self._elided_right else 0
            shapes["bias"] = (*bias, *[1] * after)
        return shapes

    def compute_output_shape(self, input_shape: Shape) -> Shape:
        """Return the shape of y."""
        sizes = self._axis_sizes(input_shape)
        elided = len(input_shape) - len(self._input_axes)
        before = input_shape[:elided] if self._elided_left else ()
        after = input_shape[-elided:] if self._elided_right and elided else ()
        return (*before, *(sizes.get(letter) for letter in self._output_axes), *after)

    def call(self, inputs: Array) -> Array:
        """Compute the sum, add the bias and apply the activation."""
        outputs: Array = np.einsum(self.equation, inputs, self.weights["kernel"], optimize=True)
        if self.bias_axes is not None:
            outputs = outputs + self.weights["bias"]
        return self.activation(outputs)


def output_sizes(value: Any) -> tuple[int | None, ...]:
    """Convert the option `output_shape` to a tuple.

    Raises:
        InvalidOption: If it is not a size, or a list of sizes and None.
    """
    sizes: Sequence[Any] = value if isinstance(value, list | tuple) else (value,)
    if any(
        size is not None and (isinstance(size, bool) or not isinstance(size, int) or size < 1)
        for size in sizes
    ):
        raise InvalidOption("output_shape", value, "a positive integer or a list of them and None")
    return tuple(sizes)
