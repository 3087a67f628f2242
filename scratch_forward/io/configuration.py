"""Building a model from a Keras configuration; everything unsupported is reported at once.

Only classes, functions and options on the allow-list are accepted.
"""

from __future__ import annotations

import inspect
import warnings
from collections.abc import Callable, Mapping
from typing import Any

import numpy as np

from scratch_forward.activations import ACTIVATIONS
from scratch_forward.errors import ArchiveError, InvalidOption, Unsupported, UnsupportedModelError
from scratch_forward.io.config_fields import field, text
from scratch_forward.io.constants import array_of
from scratch_forward.io.custom_objects import CustomObjects
from scratch_forward.io.limits import Limits
from scratch_forward.io.shared_layers import SharedLayers
from scratch_forward.io.wiring import Wiring
from scratch_forward.layers import LAYERS
from scratch_forward.layers.base import Layer
from scratch_forward.layers.operations import OPERATIONS, Operation
from scratch_forward.layers.quantized import QUANTIZED, is_quantized, quantization_of
from scratch_forward.models.functional import Model
from scratch_forward.models.sequential import Sequential

# Options that affect how a layer is trained or stored, but not what it computes.
# Keras adds LoRA's matrices to the kernel when it saves a model.
_TRAINING_ONLY = {"trainable", "activity_regularizer", "lora_rank", "lora_alpha"}
_TRAINING_ONLY_ENDINGS = ("_initializer", "_regularizer", "_constraint")
_POLICIES = ("float32", "float16", "bfloat16", "mixed_float16", "mixed_bfloat16", "float64")
_NETWORKS = ("Sequential", "Functional", "Model")
_MOST_AXES = 64  # the most axes of a NumPy array; limits options that list axes
_GRAPH = ("layers", "input_layers", "output_layers")
_LAYER_OPTIONS = ("layer", "backward_layer", "cell", "cells", "layers")
_ACTIVATION_OPTIONS = ("activation", "recurrent_activation")


def model_from_config(
    config: Any, limits: Limits, custom_objects: Mapping[str, Any] | None = None
) -> Model | Sequential:
    """Build the model that a configuration describes, without its weights.

    Args:
        config: The content of `config.json`: `class_name`, `module`, `config`.
        custom_objects: Layers and functions for classes that are not part of Keras, by class name.

    Raises:
        ArchiveError: If the configuration is inconsistent or exceeds a limit.
        UnsupportedModelError: If the model uses unsupported features. The error lists all of them.
    """
    reader = _Reader(limits, CustomObjects(custom_objects or {}))
    model = reader.layer(config, "")
    if reader.problems:
        raise UnsupportedModelError(reader.problems)
    if not isinstance(model, Model | Sequential):
        raise ArchiveError("The configuration describes a single layer, not a model.")
    if not model.built:
        raise ArchiveError(f"Model {model.name!r} does not state the shape of its input.")
    count = model.count_params()
    if count > limits.parameters:
        raise ArchiveError(
            f"The model has {count:,} weights; the limit is {limits.parameters:,} "
            "(raise it by Limits(parameters=...))."
        )
    return model


class _Reader:
    """Builds layers from a configuration and collects everything that is not supported."""

    def __init__(self, limits: Limits, custom: CustomObjects) -> None:
        self.limits = limits
        self.custom = custom
        self.problems: list[Unsupported] = []
        self.layer_count = 0
        self.shared = SharedLayers()
        self.calls_in: dict[int, int] = {}  # by id of a layer: layer calls per call of it

    def layer(self, entry: Any, path: str) -> Layer | None:
        """Build the layer or model of one entry. Returns None if it is not supported.

        A layer that several models share is built once.
        """
        self.layer_count += 1
        if self.layer_count > self.limits.layers:
            raise ArchiveError(
                f"The model has more than {self.limits.layers} layers "
                "(raise the limit by Limits(layers=...))."
            )
        class_name = text(field(entry, "class_name", path), "class_name", path)
        config = field(entry, "config", path)
        name = config.get("name") if isinstance(config, dict) else None
        path = f"{path}/{name or class_name}" if path else str(name or class_name)
        if not isinstance(config, dict):
            raise ArchiveError(f"Layer {path!r} has a configuration that is not an object.")
        known, layer = self.shared.find(entry)
        if not known:
            layer = self._new_layer(entry, class_name, config, path)
            self.shared.keep(entry, layer)
            if layer is not None:
                layer.trainable = config.get("trainable") is not False
                self._count_calls(layer, path)
        return layer

    def _new_layer(
        self, entry: dict[str, Any], class_name: str, config: dict[str, Any], path: str
    ) -> Layer | None:
        module = entry.get("module") or ""
        ours = isinstance(module, str) and module.split(".")[0] == "keras"
        custom = self.custom.find(entry)
        if custom is not None:
            return self._custom_layer(custom, class_name, config, path)
        if ours and class_name in _NETWORKS:
            return self._network(class_name, config, path)
        if ours and ".ops" in module:
            function = OPERATIONS.get(class_name) or _of_tensorflow(class_name)
            if function is not None:
                return self._operation(function, config, path)
        if ours and class_name in LAYERS and ".ops" not in module:
            return self._plain_layer(LAYERS[class_name], config, path)
        if not ours and isinstance(config.get("layers"), list):
            return self._subclass(class_name, config, path)
        self._refuse(path, "class_name", *_unknown_class(module, class_name))
        return None

    def _subclass(self, class_name: str, config: dict[str, Any], path: str) -> Layer | None:
        """Build the graph of a model of a custom class, whose `call` method is not in the file."""
        warnings.warn(
            f"{path!r} is of a class of its own, {class_name!r}: what is computed is the graph in "
            "the file, which is not what Keras computes if the class overrides `call`.",
            stacklevel=2,
        )
        is_graph = all(key in config for key in _GRAPH)
        return self._network("Functional" if is_graph else "Sequential", config, path)

    def _custom_layer(
        self, custom: Any, class_name: str, config: dict[str, Any], path: str
    ) -> Layer | None:
        """Build a layer from a class, or from a function on arrays, supplied by the caller."""
        if not isinstance(custom, type):
            return Operation(custom, {}, config.get("name"))
        layer = self._plain_layer(custom, config, path)
        if layer is not None:
            layer.keras_class = class_name
        return layer

    def _count_calls(self, layer: Layer, path: str) -> None:
        """Record how many layer calls one call of `layer` makes, including those inside it.

        Raises:
            ArchiveError: If the number exceeds the limit. It grows exponentially when each of
                several nested models calls the next one twice.
        """
        if id(layer) in self.calls_in:
            return
        count = 1 + sum(self.calls_in.get(id(child), 1) for child in layer.children().values())
        self._keep_calls(layer, count, path)

    def _keep_calls(self, layer: Any, count: int, path: str) -> None:
        if count > self.limits.calls:
            raise ArchiveError(
                f"One call of {path!r} calls {count:,} layers; the limit is {self.limits.calls:,} "
                "(raise it by Limits(calls=...))."
            )
        self.calls_in[id(layer)] = count

    def _plain_layer(self, cls: type[Layer], config: dict[str, Any], path: str) -> Layer | None:
        """Build a layer from its options. Options that its constructor lacks are refused."""
        if is_quantized(config.get("dtype")) and cls in QUANTIZED:
            return self._quantized_layer(cls, config, path)
        return self._layer_of_options(cls, config, cls.option_names(), {}, path)

    def _quantized_layer(self, cls: type[Layer], config: dict[str, Any], path: str) -> Layer | None:
        """Build a layer whose weights are stored as integers."""
        try:
            stored = quantization_of(config["dtype"], config.get("quantization_config"))
        except InvalidOption as error:
            self._refuse(path, error.option, error.value, error.nearest)
            return None
        rest = {k: v for k, v in config.items() if k not in ("dtype", "quantization_config")}
        options = {"quantization": stored}
        return self._layer_of_options(QUANTIZED[cls], rest, cls.option_names(), options, path)

    def _layer_of_options(
        self,
        cls: type[Layer],
        config: dict[str, Any],
        known: tuple[str, ...],
        options: dict[str, Any],
        path: str,
    ) -> Layer | None:
        """Build a layer from the options in its configuration, added to those given."""
        complete = True
        for option, value in config.items():
            if option == "dtype" and "dtype" not in known:
                self._check_policy(value, path)
            elif option in known:
                options[option] = self._value(option, value, path)
                complete &= not (option in _LAYER_OPTIONS and value and not options[option])
            elif option in _TRAINING_ONLY or option.endswith(_TRAINING_ONLY_ENDINGS):
                continue
            elif option != "quantization_config" or value is not None:
                self._refuse(path, option, value, "a layer without this option")
        return self._construct(cls, options, path) if complete else None

    def _construct(self, cls: type[Layer], options: dict[str, Any], path: str) -> Layer | None:
        """Call the constructor. A value that it refuses is recorded as a problem and left out."""
        while True:
            try:
                return cls(**options)
            except InvalidOption as error:
                self._refuse(path, error.option, error.value, error.nearest)
                if error.option not in options:
                    return None
                del options[error.option]
            except TypeError:
                if not self.problems:
                    missing = _missing(cls, options)
                    raise ArchiveError(f"Layer {path!r} lacks the options {missing}.") from None
                return None

    def _value(self, option: str, value: Any, path: str) -> Any:
        """Return the value of an option; layers, activations and arrays in it are built."""
        if isinstance(value, list) and option in ("cells", "layers"):
            built = [self.layer(item, path) for item in value]
            return built if all(built) else None
        if not isinstance(value, dict):
            return value
        if option in _LAYER_OPTIONS:
            return self.layer(value, path)
        if option in _ACTIVATION_OPTIONS:
            return self._activation(option, value, path)
        if value.get("class_name") in ("__numpy__", "__tensor__"):
            return array_of(value.get("config"), path).tolist()
        return value

    def _activation(self, option: str, value: dict[str, Any], path: str) -> Any:
        """Return the name of an activation function, or an activation layer."""
        kind, name = value.get("class_name"), value.get("config")
        if kind == "function":
            known = isinstance(name, str) and name in ACTIVATIONS
            return name if known and not value.get("registered_name") else value
        if isinstance(kind, str) and kind in LAYERS:
            return self.layer(value, path)
        self._refuse(path, option, kind, "an activation of Keras by name")
        return None

    def _check_policy(self, value: Any, path: str) -> None:
        """Refuse dtypes other than floats. Half-precision layers are computed in float32."""
        name = value
        if isinstance(value, dict) and isinstance(value.get("config"), dict):
            settings = value["config"]
            name = settings.get("name")
            several = settings.get("policy_map")
            each = several.values() if isinstance(several, dict) else ()
            if is_quantized(value) or any(map(is_quantized, each)):
                name = value.get("class_name")
        if name not in (*_POLICIES, "string", None):
            self._refuse(path, "dtype", name, ", ".join(_POLICIES))

    def _network(self, class_name: str, config: dict[str, Any], path: str) -> Layer | None:
        """Build a Sequential or a Functional model."""
        entries = field(config, "layers", path)
        if not isinstance(entries, list):
            raise ArchiveError(f"Model {path!r} has layers that are not a list.")
        self._check_nodes(entries, path)
        layers = [self.layer(entry, path) for entry in entries]
        name = config.get("name")
        try:
            if class_name == "Sequential":
                return self._sequential(layers, config, name, path)
            return self._graph(Wiring(config, layers, path), name, path)
        except ArchiveError:
            raise
        except InvalidOption as error:
            self._refuse(path, error.option, error.value, error.nearest)
            return None
        except (ValueError, TypeError, LookupError, AttributeError, ArithmeticError) as error:
            raise ArchiveError(f"Model {path!r} contradicts itself: {error}") from error

    def _check_nodes(self, entries: list[Any], path: str) -> None:
        """Check the number of calls that a graph lists, before they are read."""
        nodes = (e.get("inbound_nodes") for e in entries if isinstance(e, dict))
        count = sum(len(calls) for calls in nodes if isinstance(calls, list))
        if count > self.limits.calls:
            raise ArchiveError(
                f"Model {path!r} lists {count:,} calls of layers; the limit is "
                f"{self.limits.calls:,} (raise it by Limits(calls={count}))."
            )

    def _graph(self, wiring: Wiring, name: str | None, path: str) -> Layer | None:
        """Build a Functional model, or return None if any part of it is not supported."""
        self.problems += wiring.problems()
        if self.problems:
            return None
        count = 1 + wiring.call_count(self.calls_in)
        self._keep_calls(wiring, count, path)
        model = wiring.model(name)
        self.calls_in[id(model)] = count
        return model

    def _sequential(
        self, layers: list[Any], config: dict[str, Any], name: str | None, path: str
    ) -> Layer | None:
        """Build a Sequential model from its input layer, or from its `build_input_shape`."""
        if self.problems:
            return None
        count = 1 + sum(self.calls_in.get(id(layer), 1) for layer in layers)
        self._keep_calls(layers, count, path)
        model = Sequential(layers, name)
        self.calls_in[id(model)] = count
        shape = config.get("build_input_shape")
        if not model.built and isinstance(shape, list):
            model.build((None, *shape[1:]))
        return model

    def _operation(
        self, function: Callable[..., Any], config: dict[str, Any], path: str
    ) -> Layer | None:
        """Build an `Operation`, a node that calls a function instead of a layer."""
        options = {
            key: self._value(key, value, path)
            for key, value in config.items()
            if key not in ("name", "dtype")
        }
        if "dtype" in config and isinstance(config["dtype"], str | None):
            options["dtype"] = config["dtype"]
        known = set() if isinstance(function, np.ufunc) else set(_options_of(function))
        for option, value in options.items():
            if isinstance(value, list) and len(value) > _MOST_AXES:
                self._refuse(path, option, f"a list of {len(value)}", f"up to {_MOST_AXES}")
                return None
        for option in [option for option in options if option not in known]:
            if options.pop(option) is not None:
                self._refuse(path, option, config[option], "none")
        return Operation(function, options, config.get("name"))

    def _refuse(self, path: str, option: str, value: Any, nearest: str) -> None:
        self.problems.append(Unsupported(path, option, value, nearest))


def _of_tensorflow(class_name: str) -> Callable[..., Any] | None:
    """Return the NumPy function for a TensorFlow function in a Keras 2 file, such as `math.add`."""
    from scratch_forward.layers.tensorflow_functions import TENSORFLOW_FUNCTIONS

    return TENSORFLOW_FUNCTIONS.get(class_name.removeprefix("tf."))


def _missing(cls: type[Layer], options: dict[str, Any]) -> list[str]:
    """Return the names of required constructor arguments that were not given."""
    parameters = inspect.signature(cls).parameters.values()
    return [p.name for p in parameters if p.default is p.empty and p.name not in options]


def _options_of(function: Callable[..., Any]) -> list[str]:
    """Return the names of a function's arguments, except the first."""
    return list(inspect.signature(function).parameters)[1:]


def _unknown_class(module: Any, class_name: str) -> tuple[str, str]:
    """Return the full name of an unsupported class and a description of what is supported."""
    if not isinstance(module, str) or module.split(".")[0] != "keras":
        name = f"{module}.{class_name}" if isinstance(module, str) and module else class_name
        return name, f"Keras's own classes, or custom_objects={{{class_name!r}: ...}}"
    if ".ops" in module:
        return f"keras.ops: {class_name}", "the operations in docs/keras-files.md"
    if class_name == "Lambda":
        return class_name, 'custom_objects={"<name of the layer>": a function on arrays}'
    return class_name, "the layers in docs/coverage.md"
