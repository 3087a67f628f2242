"""The configuration of a live Keras model, in the format of a model file."""

from __future__ import annotations

import json
import tempfile
from collections.abc import Iterable
from pathlib import Path
from typing import Any

import numpy as np

from scratch_forward.errors import Unsupported, UnsupportedModelError


def config_of(keras_model: Any) -> dict[str, Any]:
    """Return the configuration of a model, with an id for every layer in it.

    The configuration does not include the arguments of `compile`, because losses and metrics may
    not be serializable.

    Raises:
        UnsupportedModelError: If the model has no graph, or its class overrides `call`.
    """
    kind = type(keras_model)
    own_call = _class_that_defines(kind, "call").__module__.split(".")[0] not in (
        "keras",
        "tf_keras",
    )
    if not hasattr(keras_model, "layers") or own_call:
        raise UnsupportedModelError(
            [
                Unsupported(
                    str(getattr(keras_model, "name", kind.__name__)),
                    "class_name",
                    f"{kind.__module__}.{kind.__name__}",
                    "Sequential and Functional models, and subclasses that do not override `call`",
                )
            ]
        )
    config = json.loads(json.dumps(keras_model.get_config(), default=_plain))
    _add_ids(config, keras_model)
    name = "Functional" if "input_layers" in config else "Sequential"
    return {"module": "keras", "class_name": name, "config": config}


def _class_that_defines(kind: type, method: str) -> type:
    """Return the class from which `kind` inherits a method."""
    return next((base for base in kind.__mro__ if method in vars(base)), kind)


def _plain(value: Any) -> Any:
    """Convert values that JSON does not support: arrays, NumPy scalars and shapes."""
    if isinstance(value, np.ndarray | np.generic):
        return value.tolist()
    return list(value) if hasattr(value, "__iter__") else str(value)


def _add_ids(config: dict[str, Any], model: Any) -> None:
    """Add the id of each layer to its entry, so that shared layers are built once."""
    layers = {layer.name: layer for layer in model.layers}
    for entry in config["layers"]:
        layer = layers.get(entry["config"].get("name"))
        if layer is None or ".ops" in (entry.get("module") or ""):
            continue
        entry["shared_object_id"] = id(layer)
        if hasattr(layer, "layers") and "layers" in entry["config"]:
            _add_ids(entry["config"], layer)
        elif hasattr(layer, "layer") and isinstance(entry["config"].get("layer"), dict):
            entry["config"]["layer"]["shared_object_id"] = id(layer.layer)


def stores_other_weights(keras_model: Any) -> bool:
    """Whether Keras saves other arrays than `get_weights` returns, or in another order.

    It adds LoRA's matrices to the kernel, and keeps the kernel of a quantized layer first.
    """
    return any(
        getattr(layer, "lora_enabled", False) or getattr(layer, "quantization_mode", None)
        for layer in _all_layers(keras_model)
    )


def _all_layers(keras_model: Any) -> Iterable[Any]:
    """Return the layers of a model with those nested in them."""
    layers: Iterable[Any] = keras_model._flatten_layers()
    return layers


def saved_weights(keras_model: Any) -> bytes:
    """Return the content of the weights file that Keras writes for a model."""
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "model.weights.h5"
        keras_model.save_weights(path)
        return path.read_bytes()


def check_merged(keras_model: Any) -> None:
    """Refuse a quantized layer with LoRA, which Keras rounds again when it saves the model.

    Raises:
        UnsupportedModelError: If the model has such a layer.
    """
    found = [
        Unsupported(
            layer.name, "lora_rank", layer.lora_rank, "the saved model, whose kernel is merged"
        )
        for layer in _all_layers(keras_model)
        if getattr(layer, "lora_enabled", False) and getattr(layer, "quantization_mode", None)
    ]
    if found:
        raise UnsupportedModelError(found)
