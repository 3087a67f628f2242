"""Base class of all layers: options, weights, `call` on NumPy arrays, and mask handling."""

from __future__ import annotations

import inspect
import math
import re
from collections.abc import Iterator, Sequence
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import DTypeLike, NDArray

from scratch_forward.nested_arrays import map_leaves
from scratch_forward.symbolic import Node, connect, is_symbolic, map_structure

if TYPE_CHECKING:
    from numpy.random import Generator
else:
    Generator = Any  # importing NumPy's generators takes a tenth of this package's import time

Array = NDArray[Any]
Shape = tuple[int | None, ...]


class Layer:
    """A function on arrays with named weights.

    A subclass defines its options as constructor arguments, which are also the allow-list for model
    files. It defines its weights in `weight_shapes`, its equation in `call`, and its effect on
    shapes and masks in `compute_output_shape` and `compute_mask`.

    Attributes:
        name: Name of the layer. Defaults to the class name in snake case.
        dtype: Dtype of weights and arithmetic: float32, or float64 as a reference.
        weights: The layer's own weights by name, in Keras's order. Empty until they are set.
        built: Whether the shape of the input, and so the shape of every weight, is known.
        supports_masking: Whether the mask is passed to the output. Otherwise it is dropped, as in
            Keras.
        assets: Names of text files in an archive that the layer reads.
        stored_arrays: Names of arrays in a weights file that the layer reads and that are not
            among Keras's `get_weights`.
        call_arguments: Names of the arguments of Keras's `call`, in its order.
        trainable: Whether Keras trains the weights, which affects their order in HDF5 files.
        keras_class: Name of the Keras class that the layer replaces, if it differs from its own.
        returns_its_input: Whether a call at inference returns its input and mask unchanged.
        large_chunks: Whether `predict` is faster if the layer gets many examples at once.
        clears_input_masks: Whether a call removes the masks of its input tensors, as in Keras, so
            that later layers that read them see no mask. A list if inputs differ.
    """

    supports_masking: bool = False
    assets: tuple[str, ...] = ()
    stored_arrays: tuple[str, ...] = ()
    call_arguments: tuple[str, ...] = ("inputs", "mask")
    trainable: bool = True
    keras_class: str | None = None
    returns_its_input: bool = False
    large_chunks: bool = False
    clears_input_masks: bool | list[bool] = False

    def __init__(self, name: str | None = None) -> None:
        self.name = name or snake_case(self.class_name)
        self.named = name is not None
        self.dtype: np.dtype[Any] = np.dtype(np.float32)
        self.weights: dict[str, Array] = {}
        self.built = False
        self.nodes: list[Node] = []
        self._shapes: dict[str, tuple[int, ...]] = {}
        self.output_shape: Any = None

    # Defined by subclasses

    @property
    def class_name(self) -> str:
        """Name of the Keras class, which determines default names and weight paths."""
        return self.keras_class or type(self).__name__

    @classmethod
    def option_names(cls) -> tuple[str, ...]:
        """Return the options that a configuration may contain."""
        return tuple(inspect.signature(cls.__init__).parameters)

    def call(self, inputs: Any) -> Any:
        """Compute the outputs of a batch by the equation of the layer.

        Args:
            inputs: One array, or a list of arrays for layers that merge.
        """
        raise NotImplementedError

    def apply(self, inputs: Any, _mask: Any, _generator: Generator | None, /, **_: Any) -> Any:
        """Compute the outputs of a batch. Overridden by layers that need a mask or a generator.

        Args:
            inputs: One array, or a list of arrays for layers that merge.
            mask: Per array None, or a boolean array `(N, T)` that is True for valid time steps.
            generator: Random generator in training. None at inference.
        """
        return self.call(inputs)

    def weight_shapes(self, _input_shape: Any) -> dict[str, Any]:
        """Return the shapes of the layer's own weights by name, in Keras's order."""
        return {}

    def expect_axes(self, input_shape: Shape, count: int) -> None:
        """Refuse an input with another number of axes, as a ValueError."""
        if len(input_shape) != count:
            raise ValueError(
                f"Layer {self.name!r} takes inputs of {count} axes, got {input_shape}."
            )

    def compute_output_shape(self, input_shape: Any) -> Any:
        """Return the shape of the output, or a list of shapes, with None for unknown sizes."""
        return input_shape

    def compute_call_shape(self, inputs: Any, _arguments: dict[str, Any]) -> Any:
        """Return the output shape of a call with symbolic tensors and constants as arguments."""
        return self.compute_output_shape(map_structure(lambda item: item.shape, inputs))

    def compute_mask(self, _inputs: Any, mask: Any) -> Any:
        """Return the mask of the output. Called only if `supports_masking`."""
        return mask

    def children(self) -> dict[str, Layer]:
        """Return nested layers, keyed by their path below this one in a weights file."""
        return {name: value for name, value in vars(self).items() if isinstance(value, Layer)}

    def build_children(self, input_shape: Any) -> None:
        """Build nested layers for an input of this shape."""

    def gathered(self, first: Any, others: dict[str, Any]) -> tuple[Any, dict[str, Any]]:
        """Return the inputs of a call, and its other arguments by name.

        Args:
            first: Value of the first argument of Keras's `call`.
            others: The other arguments by name.
        """
        return first, others

    def convert(self, inputs: Any) -> Any:
        """Convert inputs to arrays of the layer's dtype."""
        return map_leaves(lambda item: np.asarray(item, self.dtype), inputs)

    def load_assets(self, texts: dict[str, str], arrays: dict[str, Array]) -> None:
        """Read the text files named in `assets` and the arrays named in `stored_arrays`."""

    # Shared by all layers

    def __call__(
        self,
        inputs: Any,
        mask: Any = None,
        training: bool = False,
        seed: int | None = None,
        **arguments: Any,
    ) -> Any:
        """Compute the outputs of a batch, or extend a graph if the inputs are symbolic.

        Args:
            inputs: One array, a list of arrays for layers that merge, or symbolic tensors.
            mask: Per array None, or a boolean array `(N, T)` that is True for valid time steps.
            training: Whether to apply dropout and noise, and to use the statistics of the batch.
            seed: Seed of the random numbers. Without it they differ between calls.
            **arguments: Other arguments, such as `initial_state` for recurrent layers.

        Returns:
            One array, or a tuple of arrays.
        """
        if is_symbolic(inputs):
            return connect(self, inputs, mask=mask, **arguments)
        self.require_weights()
        generator = np.random.default_rng(seed) if training else None
        return self.run(inputs, mask, generator, **arguments)[0]

    def run(
        self, inputs: Any, mask: Any = None, generator: Generator | None = None, **arguments: Any
    ) -> tuple[Any, Any]:
        """Compute outputs and their masks. The layer is built for the inputs if necessary."""
        converted = self.convert(inputs)
        if not self.built:
            self.build(shape_of(converted))
        outputs = self.apply(converted, mask, generator, **arguments)
        masks = self.compute_mask(inputs, mask) if self.supports_masking else None
        return outputs, masks

    def build(self, input_shape: Any) -> None:
        """Set the shapes of all weights for an input of this shape."""
        shapes = self.weight_shapes(input_shape)
        for name, shape in shapes.items():
            # A size is None if unknown; it is a shape if several inputs are given instead of one
            if not all(isinstance(size, int) for size in shape):
                raise ValueError(
                    f"Layer {self.name!r} needs to know the size of {name!r}, which is {shape} for "
                    f"an input of shape {input_shape}."
                )
        self._shapes = shapes
        self.build_children(input_shape)
        self.output_shape = self.compute_output_shape(input_shape)
        self.built = True

    def fused(self) -> Any:
        """Return an object that computes the same faster for `predict`, or the layer itself.

        Its `run` method has the same signature. See `scratch_forward.fast`.
        """
        return self

    def walk(self, path: str = "", seen: set[int] | None = None) -> Iterator[tuple[str, Layer]]:
        """Yield this layer and all nested layers with their paths in a weights file.

        A shared layer is yielded once, at its first path, in the order of Keras's list of weights.
        """
        seen = set() if seen is None else seen
        if id(self) in seen:
            return
        seen.add(id(self))
        yield path, self
        for name, child in self.children().items():
            yield from child.walk(f"{path}/{name}" if path else name, seen)

    def flatten(self) -> Iterator[Layer]:
        """Yield this layer and all nested layers, each once."""
        return (layer for _, layer in self.walk())

    def set_dtype(self, dtype: DTypeLike) -> None:
        """Convert the weights and arithmetic of this layer and all nested layers to a dtype."""
        for layer in self.flatten():
            layer.dtype = np.dtype(dtype)
            layer.set_own_weights(dict(layer.weights))

    def set_own_weights(self, weights: dict[str, Array]) -> None:
        """Set weights by name, converted to the layer's dtype. Shapes are checked elsewhere.

        The arrays are read-only copies, so results computed from them stay valid until the weights
        are replaced.
        """
        self.weights = {
            name: np.array(array, self.dtype, order="C") for name, array in weights.items()
        }
        for array in self.weights.values():
            array.setflags(write=False)

    def own_weight_shapes(self) -> dict[str, tuple[int, ...]]:
        """Return the shapes of a built layer's own weights by name."""
        return self._shapes

    def borrowed_weights(self) -> dict[str, tuple[Layer, str]]:
        """Return the weights that belong to a nested layer, with their layer and name there."""
        return {}

    def get_weights(self) -> list[Array]:
        """Return the weights of this layer and all nested layers, in Keras's order."""
        return [layer.weights[name] for layer, name, _ in self._slots() if name in layer.weights]

    def set_weights(self, arrays: Sequence[Any]) -> None:
        """Set the weights of this layer and all nested layers.

        Args:
            arrays: Arrays in the order of Keras's `get_weights`.

        Raises:
            ValueError: If the number of arrays or a shape does not match the layer.
        """
        if not self.built:
            raise ValueError(f"Layer {self.name!r} must be built before its weights can be set.")
        slots = self._slots()
        if len(arrays) != len(slots):
            raise ValueError(
                f"{self.name!r} has {len(slots)} weights, but {len(arrays)} were given."
            )
        found: dict[int, dict[str, Array]] = {}
        for (layer, name, shape), given in zip(slots, arrays, strict=True):
            array = np.asarray(given)
            if array.shape != shape:
                raise ValueError(
                    f"Weight {name!r} of layer {layer.name!r} has shape {shape}, but an array of "
                    f"shape {array.shape} was given."
                )
            found.setdefault(id(layer), {})[name] = array
        for layer in self.flatten():
            lent = {
                name: found[id(owner)][own]
                for name, (owner, own) in layer.borrowed_weights().items()
            }
            if own_weights := lent | found.get(id(layer), {}):
                layer.set_own_weights(own_weights)

    def _slots(self) -> list[tuple[Layer, str, tuple[int, ...]]]:
        """Return layer, name and shape of each weight in Keras's order, without duplicates."""
        slots: dict[tuple[int, str], tuple[Layer, str, tuple[int, ...]]] = {}
        for layer in self.flatten():
            borrowed = layer.borrowed_weights()
            for name, shape in layer.own_weight_shapes().items():
                owner, own = borrowed.get(name, (layer, name))
                slots.setdefault((id(owner), own), (owner, own, shape))
        return list(slots.values())

    def count_params(self) -> int:
        """Return the total number of elements in all weights."""
        return sum(math.prod(shape) for _, _, shape in self._slots())

    def require_weights(self) -> None:
        """Check that all weights of this layer and its nested layers are set.

        Raises:
            ValueError: If a weight is missing.
        """
        for path, layer in self.walk(self.name):
            if layer.weights.keys() != layer.own_weight_shapes().keys():
                raise ValueError(
                    f"Layer {path!r} has no weights yet: call `set_weights` or `load_weights`."
                )

    def __repr__(self) -> str:
        return f"<{type(self).__name__} {self.name!r}>"


def snake_case(class_name: str) -> str:
    """Convert a class name to snake case as Keras does in names and paths: `ReLU` to `re_lu`."""
    spaced = re.sub(r"([A-Z]+)([A-Z][a-z]+)", r"\1_\2", re.sub(r"\W+", "", class_name))
    return re.sub(r"([a-z])([A-Z])", r"\1_\2", spaced).lower()


def numbered(layers: Sequence[Layer]) -> list[str]:
    """Name layers as in a weights file: class in snake case, with `_1` from the second on."""
    counts: dict[str, int] = {}
    names = []
    for layer in layers:
        base = snake_case(layer.class_name)
        seen = counts.get(base, 0)
        counts[base] = seen + 1
        names.append(f"{base}_{seen}" if seen else base)
    return names


def shape_of(inputs: Any) -> Any:
    """Return the shape of an array with an unknown batch size, or a list or dict of shapes."""
    return map_leaves(lambda item: (None, *np.shape(item)[1:]), inputs)
