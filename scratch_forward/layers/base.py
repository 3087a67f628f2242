"""What every layer is: options, weights, a `call` on NumPy arrays, and a rule for masks."""

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
    Generator = Any  # NumPy's generators are a tenth of the time to import this package

Array = NDArray[Any]
Shape = tuple[int | None, ...]


class Layer:
    """A function on arrays with named weights.

    A subclass states its options as constructor arguments (which is also the allow-list of what may
    stand in a model file), its weights in `weight_shapes`, its equation in `call`, and what it does
    to shapes and masks in `compute_output_shape` and `compute_mask`.

    Attributes:
        name: Name of the layer; the class in snake case unless given.
        dtype: Data type of weights and arithmetic: float32, or float64 as an oracle.
        weights: The layer's own weights by name, in Keras's order; empty until they are set.
        built: Whether the input's shape, and with it the shape of every weight, is known.
        supports_masking: Whether a mask reaches the output. As in Keras, it is lost otherwise.
        assets: Names of the text files in an archive that the layer reads.
        call_arguments: Names of the arguments of Keras's `call`, in its order.
        trainable: Whether Keras trains its weights: HDF5 files order weights by it.
        keras_class: Name of the Keras class that it stands for, if it is not the class's own.
        returns_its_input: Whether a call at inference does nothing, and a mask passes through.
        clears_input_masks: Whether, as in Keras, a call takes the masks off its input tensors, so
            that layers after it see none there; a list for inputs that differ.
    """

    supports_masking: bool = False
    assets: tuple[str, ...] = ()
    call_arguments: tuple[str, ...] = ("inputs", "mask")
    trainable: bool = True
    keras_class: str | None = None
    returns_its_input: bool = False
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

    # What a subclass says about itself

    @property
    def class_name(self) -> str:
        """Name of the Keras class, from which default names and weight paths follow."""
        return self.keras_class or type(self).__name__

    @classmethod
    def option_names(cls) -> tuple[str, ...]:
        """Return the options that may stand in a configuration."""
        return tuple(inspect.signature(cls.__init__).parameters)

    def call(self, inputs: Any) -> Any:
        """Compute the outputs of a batch: the layer's equation.

        Args:
            inputs: One array, or a list of them for layers that merge.
        """
        raise NotImplementedError

    def apply(self, inputs: Any, _mask: Any, _generator: Generator | None, /, **_: Any) -> Any:
        """Compute the outputs of a batch; overridden by layers that need more than the inputs.

        Args:
            inputs: One array, or a list of them for layers that merge.
            mask: For each array None, or bool `(N, T)`: True where a time step counts.
            generator: Source of randomness when training; None at inference.
        """
        return self.call(inputs)

    def weight_shapes(self, _input_shape: Any) -> dict[str, Any]:
        """Return the shapes of the layer's own weights by name, in Keras's order."""
        return {}

    def compute_output_shape(self, input_shape: Any) -> Any:
        """Return the shape of the output, or a list of them; None is a size that is not known."""
        return input_shape

    def compute_call_shape(self, inputs: Any, _arguments: dict[str, Any]) -> Any:
        """Return the shape of a call's output from its arguments: tensors to come and constants."""
        return self.compute_output_shape(map_structure(lambda item: item.shape, inputs))

    def compute_mask(self, _inputs: Any, mask: Any) -> Any:
        """Return the mask of the output, asked for only if `supports_masking`."""
        return mask

    def children(self) -> dict[str, Layer]:
        """Return the layers inside this one, by their path below this one in a weights file."""
        return {name: value for name, value in vars(self).items() if isinstance(value, Layer)}

    def build_children(self, input_shape: Any) -> None:
        """Build the layers inside this one for an input of this shape."""

    def gathered(self, first: Any, others: dict[str, Any]) -> tuple[Any, dict[str, Any]]:
        """Return the inputs of a call, and its other arguments by name.

        Args:
            first: The first of Keras's arguments.
            others: The others by name.
        """
        return first, others

    def convert(self, inputs: Any) -> Any:
        """Convert inputs to arrays of the layer's data type."""
        return map_leaves(lambda item: np.asarray(item, self.dtype), inputs)

    def load_assets(self, assets: dict[str, str]) -> None:
        """Read the text files named in `assets`."""

    # What every layer does

    def __call__(
        self,
        inputs: Any,
        mask: Any = None,
        training: bool = False,
        seed: int | None = None,
        **arguments: Any,
    ) -> Any:
        """Compute the outputs of a batch, or extend a graph when given symbolic inputs.

        Args:
            inputs: One array, or a list of them for layers that merge; or what `Input` returned.
            mask: For each array None, or bool `(N, T)`: True where a time step counts.
            training: Draw random numbers (dropout, noise) and use the batch's own statistics.
            seed: Seed of those random numbers; without it they differ from call to call.
            **arguments: `initial_state`, for recurrent layers.

        Returns:
            One array, or a tuple of them.
        """
        if is_symbolic(inputs):
            return connect(self, inputs, mask=mask, **arguments)
        self.require_weights()
        generator = np.random.default_rng(seed) if training else None
        return self.run(inputs, mask, generator, **arguments)[0]

    def run(
        self, inputs: Any, mask: Any = None, generator: Generator | None = None, **arguments: Any
    ) -> tuple[Any, Any]:
        """Compute outputs and their masks; builds the layer for the inputs' shape if need be."""
        converted = self.convert(inputs)
        if not self.built:
            self.build(shape_of(converted))
        outputs = self.apply(converted, mask, generator, **arguments)
        masks = self.compute_mask(inputs, mask) if self.supports_masking else None
        return outputs, masks

    def build(self, input_shape: Any) -> None:
        """Fix the shapes of all weights from the shape of the input."""
        shapes = self.weight_shapes(input_shape)
        for name, shape in shapes.items():
            # None for an open size, a shape where one input is expected and several are given
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
        """Return what computes the same faster, for `predict`: the layer itself unless it knows.

        It has a `run` like the layer's. `scratch_forward.fast` takes runs of layers together.
        """
        return self

    def walk(self, path: str = "", seen: set[int] | None = None) -> Iterator[tuple[str, Layer]]:
        """Yield this layer and all inside it with their paths in a weights file.

        A layer that stands in several places comes once, at its first, in the order of Keras's
        list of weights.
        """
        seen = set() if seen is None else seen
        if id(self) in seen:
            return
        seen.add(id(self))
        yield path, self
        for name, child in self.children().items():
            yield from child.walk(f"{path}/{name}" if path else name, seen)

    def flatten(self) -> Iterator[Layer]:
        """Yield this layer and all inside it, each once."""
        return (layer for _, layer in self.walk())

    def set_dtype(self, dtype: DTypeLike) -> None:
        """Convert weights and arithmetic of this layer and all inside it to a data type."""
        for layer in self.flatten():
            layer.dtype = np.dtype(dtype)
            layer.set_own_weights(dict(layer.weights))

    def set_own_weights(self, weights: dict[str, Array]) -> None:
        """Set weights by name, converted to the layer's data type; shapes are checked elsewhere.

        They are copies that cannot be written to: what was computed from them stays true until
        others are set.
        """
        self.weights = {
            name: np.array(array, self.dtype, order="C") for name, array in weights.items()
        }
        for array in self.weights.values():
            array.setflags(write=False)

    def own_weight_shapes(self) -> dict[str, tuple[int, ...]]:
        """Return the shapes of the layer's own weights by name, once it is built."""
        return self._shapes

    def borrowed_weights(self) -> dict[str, tuple[Layer, str]]:
        """Return which weights are those of a layer inside, with their names there."""
        return {}

    def get_weights(self) -> list[Array]:
        """Return the weights of this layer and all inside it, in Keras's order."""
        return [layer.weights[name] for layer, name, _ in self._slots() if name in layer.weights]

    def set_weights(self, arrays: Sequence[Any]) -> None:
        """Set the weights of this layer and all inside it.

        Args:
            arrays: As Keras's `get_weights` returns them.

        Raises:
            ValueError: If their number or a shape is not what the layer has.
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
        """Return layer, name and shape of each weight, in Keras's order, a borrowed one once."""
        slots: dict[tuple[int, str], tuple[Layer, str, tuple[int, ...]]] = {}
        for layer in self.flatten():
            borrowed = layer.borrowed_weights()
            for name, shape in layer.own_weight_shapes().items():
                owner, own = borrowed.get(name, (layer, name))
                slots.setdefault((id(owner), own), (owner, own, shape))
        return list(slots.values())

    def count_params(self) -> int:
        """Count the weights, each array's elements counted."""
        return sum(math.prod(shape) for _, _, shape in self._slots())

    def require_weights(self) -> None:
        """Check that all weights are set, of this layer and those inside it.

        Raises:
            ValueError: If they are not.
        """
        for path, layer in self.walk(self.name):
            if layer.weights.keys() != layer.own_weight_shapes().keys():
                raise ValueError(
                    f"Layer {path!r} has no weights yet: call `set_weights` or `load_weights`."
                )

    def __repr__(self) -> str:
        return f"<{type(self).__name__} {self.name!r}>"


def snake_case(class_name: str) -> str:
    """Write a class name as Keras does in names and weight paths: `ReLU` as `re_lu`."""
    spaced = re.sub(r"([A-Z]+)([A-Z][a-z]+)", r"\1_\2", re.sub(r"\W+", "", class_name))
    return re.sub(r"([a-z])([A-Z])", r"\1_\2", spaced).lower()


def numbered(layers: Sequence[Layer]) -> list[str]:
    """Name layers as a weights file does: class in snake case, `_1` from the second on."""
    counts: dict[str, int] = {}
    names = []
    for layer in layers:
        base = snake_case(layer.class_name)
        seen = counts.get(base, 0)
        counts[base] = seen + 1
        names.append(f"{base}_{seen}" if seen else base)
    return names


def shape_of(inputs: Any) -> Any:
    """Return the shape of an array with an open batch size, or a list or dict of shapes."""
    return map_leaves(lambda item: (None, *np.shape(item)[1:]), inputs)
