"""A Keras configuration to a model: only what is on the allow-list, or the list of what is not."""

from __future__ import annotations

import difflib
import inspect
from collections.abc import Callable
from typing import Any

import numpy as np

from scratch_forward.activations import ACTIVATIONS
from scratch_forward.errors import (
    ArchiveError,
    InvalidOption,
    Unsupported,
    UnsupportedModelError,
)
from scratch_forward.io.config_fields import field, text
from scratch_forward.io.limits import Limits
from scratch_forward.io.wiring import Wiring
from scratch_forward.layers import LAYERS
from scratch_forward.layers.base import Layer
from scratch_forward.layers.core import InputLayer
from scratch_forward.layers.operations import OPERATIONS, Operation
from scratch_forward.models.functional import Model
from scratch_forward.models.sequential import Sequential

# Options that change how a layer is trained or stored, never what it computes.
_TRAINING_ONLY = {"trainable", "activity_regularizer", "quantization_config"}
_TRAINING_ONLY_ENDINGS = ("_initializer", "_regularizer", "_constraint")
_POLICIES = ("float32", "float16", "bfloat16", "mixed_float16", "mixed_bfloat16", "float64")
_NETWORKS = ("Sequential", "Functional")
_LAYER_OPTIONS = ("layer", "backward_layer", "cell", "cells")
_ACTIVATION_OPTIONS = ("activation", "recurrent_activation")


def model_from_config(config: Any, limits: Limits) -> Model | Sequential:
    """Build the model that a configuration describes, without its weights.

    Args:
        config: What `config.json` holds: `class_name`, `module`, `config`.
        limits: How much it may ask for.

    Raises:
        ArchiveError: If the configuration contradicts itself or asks for too much.
        UnsupportedModelError: If it asks for what is not supported, with all of it.
    """
    reader = _Reader(limits)
    model = reader.layer(config, "")
    if reader.problems:
        raise UnsupportedModelError(reader.problems)
    if not isinstance(model, Model | Sequential):
        raise ArchiveError("The configuration describes a single layer, not a model.")
    if not model.built:
        raise ArchiveError(f"Model {model.name!r} does not say what the shape of its input is.")
    count = model.count_params()
    if count > limits.parameters:
        raise ArchiveError(
            f"The model has {count:,} weights; the limit is {limits.parameters:,} (parameters)."
        )
    return model


class _Reader:
    """Reads a configuration, collecting what is not supported instead of stopping at it."""

    def __init__(self, limits: Limits) -> None:
        self.limits = limits
        self.problems: list[Unsupported] = []
        self.layer_count = 0
        self.shared: dict[int, Layer | None] = {}

    def layer(self, entry: Any, path: str) -> Layer | None:
        """Build the layer, or the model, of one entry; None if it is not supported.

        A layer that stands in several models has the same `shared_object_id` in each.
        """
        identity = entry.get("shared_object_id") if isinstance(entry, dict) else None
        if isinstance(identity, int) and identity in self.shared:
            return self.shared[identity]
        layer = self._new_layer(entry, path)
        if isinstance(identity, int):
            self.shared[identity] = layer
        return layer

    def _new_layer(self, entry: Any, path: str) -> Layer | None:
        self.layer_count += 1
        if self.layer_count > self.limits.layers:
            raise ArchiveError(f"The model has more than {self.limits.layers} layers (layers).")
        class_name = text(field(entry, "class_name", path), "class_name", path)
        config = field(entry, "config", path)
        name = config.get("name") if isinstance(config, dict) else None
        path = f"{path}/{name or class_name}" if path else str(name or class_name)
        module = entry.get("module") or ""
        if not isinstance(config, dict):
            raise ArchiveError(f"Layer {path!r} has a configuration that is not an object.")
        ours = isinstance(module, str) and module.split(".")[0] == "keras"
        if ours and class_name in _NETWORKS:
            return self._network(class_name, config, path)
        if ours and class_name in OPERATIONS and ".ops" in module:
            return self._operation(class_name, config, path)
        if ours and class_name in LAYERS and ".ops" not in module:
            return self._plain_layer(LAYERS[class_name], config, path)
        self._refuse(path, "class_name", class_name, _nearest(class_name))
        return None

    def _plain_layer(self, cls: type[Layer], config: dict[str, Any], path: str) -> Layer | None:
        """Build a layer from its options, refusing those that its constructor does not name."""
        known = inspect.signature(cls.__init__).parameters
        options: dict[str, Any] = {}
        complete = True
        for option, value in config.items():
            if option == "dtype" and cls is not InputLayer:
                self._check_policy(value, path)
            elif option in known:
                options[option] = self._value(option, value, path)
                complete &= not (option in _LAYER_OPTIONS and value and not options[option])
            elif option in _TRAINING_ONLY or option.endswith(_TRAINING_ONLY_ENDINGS):
                if option == "quantization_config" and value is not None:
                    self._refuse(path, option, value, "null")
            else:
                self._refuse(path, option, value, "a layer without this option")
        return self._construct(cls, options, path) if complete else None

    def _construct(self, cls: type[Layer], options: dict[str, Any], path: str) -> Layer | None:
        """Call the constructor; each value that it refuses is noted and left out."""
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
        """Return an option's value, with layers, functions and arrays built."""
        if isinstance(value, list) and option == "cells":
            built = [self.layer(item, path) for item in value]
            return built if all(built) else None
        if not isinstance(value, dict):
            return value
        if option in _LAYER_OPTIONS:
            return self.layer(value, path)
        if option in _ACTIVATION_OPTIONS:
            return self._activation(option, value, path)
        inner = value.get("config")
        if value.get("class_name") in ("__numpy__", "__tensor__") and isinstance(inner, dict):
            return inner.get("value")
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
        """Refuse data types other than floats; half precision is computed in float32."""
        name = value
        if isinstance(value, dict) and isinstance(value.get("config"), dict):
            name = value["config"].get("name")
        if name not in (*_POLICIES, "string", None):
            self._refuse(path, "dtype", name, ", ".join(_POLICIES))

    def _network(self, class_name: str, config: dict[str, Any], path: str) -> Layer | None:
        """Build a model of either kind."""
        entries = field(config, "layers", path)
        if not isinstance(entries, list):
            raise ArchiveError(f"Model {path!r} has layers that are not a list.")
        layers = [self.layer(entry, path) for entry in entries]
        if self.problems or not all(layers):
            return None
        name = config.get("name")
        try:
            if class_name == "Sequential":
                return _sequential(layers, config, name)
            return Wiring(entries, layers, path).model(config, name)
        except ArchiveError:
            raise
        except UnsupportedModelError as error:
            self.problems += error.items
            return None
        except (ValueError, TypeError, LookupError, AttributeError, ArithmeticError) as error:
            raise ArchiveError(f"Model {path!r} contradicts itself: {error}") from error

    def _operation(self, class_name: str, config: dict[str, Any], path: str) -> Layer | None:
        """Build a step that is a function and not a layer."""
        options = {key: value for key, value in config.items() if key not in ("name", "dtype")}
        if "dtype" in config and isinstance(config["dtype"], str | None):
            options["dtype"] = config["dtype"]
        function = OPERATIONS[class_name]
        known = set() if isinstance(function, np.ufunc) else _options_of(function)
        for option in [option for option in options if option not in known]:
            if options.pop(option) is not None:
                self._refuse(path, option, config[option], "none")
        return Operation(function, options, config.get("name"))

    def _refuse(self, path: str, option: str, value: Any, nearest: str) -> None:
        self.problems.append(Unsupported(path, option, value, nearest))


def _sequential(layers: list[Any], config: dict[str, Any], name: str | None) -> Sequential:
    """Build a model of layers in a row, from its input layer or the shape it was built for."""
    model = Sequential(layers, name)
    shape = config.get("build_input_shape")
    if not model.built and isinstance(shape, list):
        model.build((None, *shape[1:]))
    return model


def _missing(cls: type[Layer], options: dict[str, Any]) -> list[str]:
    """Name the constructor's arguments that have no default and were not given."""
    parameters = inspect.signature(cls).parameters.values()
    return [p.name for p in parameters if p.default is p.empty and p.name not in options]


def _options_of(function: Callable[..., Any]) -> set[str]:
    """Name the arguments of a function but its first."""
    return set(list(inspect.signature(function).parameters)[1:])


def _nearest(class_name: str) -> str:
    """Name the supported classes most like this one, or all of them."""
    close = difflib.get_close_matches(class_name, [*LAYERS, *_NETWORKS], n=3)
    return ", ".join(close) or "the layers in scratch_forward.layers"
