"""Translation of configurations of Keras 2, or of any HDF5 file, to the format of Keras 3."""

from __future__ import annotations

from typing import Any

from scratch_forward.errors import ArchiveError
from scratch_forward.layers.operations import OPERATIONS
from scratch_forward.layers.tensorflow_functions import TENSORFLOW_FUNCTIONS

Entry = dict[str, Any]

_CLASSES = {
    **{"Model": "Functional", "BatchNormalizationV1": "BatchNormalization"},
    **{"BatchNormalizationV2": "BatchNormalization", "CuDNNLSTM": "LSTM", "CuDNNGRU": "GRU"},
    **{"ThresholdedReLU": "ReLU", "LSTMV2": "LSTM", "GRUV2": "GRU"},
}
# Options that do not change the result of a layer when they have one of these values. An empty
# tuple allows any value.
_WITHOUT_EFFECT: dict[str, tuple[Any, ...]] = {
    **{"implementation": (0, 1, 2), "time_major": (False,), "input_length": ()},
    **{"fused": (True, False, None), "virtual_batch_size": (None,), "adjustment": (None,)},
    **{"experimental_autocast": (True, False), "autocast": (True, False)},
    **{"input_dtype": (), "batch_input_shape": (), "renorm": (False,)},
    **{"groups": (1,), "noise_shape": (None,)},
    **{"renorm_clipping": (None,), "renorm_momentum": ()},
}
_NETWORKS = ("Sequential", "Functional", "Model")
_LAYER_OPTIONS = ("layer", "backward_layer", "forward_layer", "cell")
_RENAMED = {"LeakyReLU": {"alpha": "negative_slope"}, "ThresholdedReLU": {"theta": "threshold"}}
_ACTIVATION_OPTIONS = ("activation", "recurrent_activation")
_OPERATIONS_MODULE = "keras.ops"


def as_keras_3(config: Any, is_keras_2: bool) -> Any:
    """Return the configuration of a model or layer in the format of Keras 3.

    Args:
        is_keras_2: Whether Keras 2 wrote it. Its `hard_sigmoid` and some of its defaults differ
            from those of Keras 3.

    Raises:
        ArchiveError: If the configuration is malformed.
    """
    return _Translation(is_keras_2).entry(_plain(config))


def _plain(value: Any) -> Any:
    """Convert tuples and shapes, which Keras 2 writes as objects, to lists."""
    if isinstance(value, list):
        return [_plain(item) for item in value]
    if not isinstance(value, dict):
        return value
    if value.get("class_name") in ("__tuple__", "TensorShape") and "items" in value:
        return _plain(value["items"])
    return {key: _plain(item) for key, item in value.items()}


class _Translation:
    """Translates configuration entries, including nested ones."""

    def __init__(self, is_keras_2: bool) -> None:
        self.is_keras_2 = is_keras_2

    def entry(self, entry: Any) -> Any:
        """Translate the entry of a layer or model."""
        if not isinstance(entry, dict) or not isinstance(entry.get("class_name"), str):
            return entry
        config = entry.get("config")
        if isinstance(config, list):  # a Sequential model of Keras before 2.2.3
            config = {"name": "sequential", "layers": config}
        if not isinstance(config, dict):
            return entry
        name = entry["class_name"].removeprefix("Custom>")
        if name in ("TFOpLambda", "SlicingOpLambda"):
            return entry | _function(config)
        module = entry.get("module") or _module_of(name, config)
        if isinstance(module, str) and module.split(".")[0] == "tf_keras":
            module = "keras.layers"
        if isinstance(module, str) and module.startswith("keras.") and name in _NETWORKS:
            module = "keras"
        made = {"module": module, "class_name": _CLASSES.get(name, name)}
        return entry | made | {"config": self._config(name, config)}

    def _config(self, name: str, config: Entry) -> Entry:
        """Translate a configuration, including those of nested layers."""
        options = {
            _RENAMED.get(name, {}).get(key, key): self._option(key, value)
            for key, value in config.items()
            if not _without_effect(key, value)
        }
        if isinstance(config.get("layers"), list):
            options["layers"] = [self.entry(item) for item in config["layers"]]
            if name == "Sequential":
                options["layers"] = _with_input(config["layers"], options["layers"])
        if isinstance(config.get("cells"), list):
            options["cells"] = [self.entry(item) for item in config["cells"]]
        if name == "InputLayer" and "batch_input_shape" in config:
            options["batch_shape"] = config["batch_input_shape"]
        if self.is_keras_2 and name in ("GRU", "GRUCell"):
            options.setdefault("reset_after", False)
        if name == "CuDNNGRU":
            options["reset_after"] = True
        if _CLASSES.get(name, name) == "BatchNormalization" and isinstance(
            options.get("axis"), list
        ):
            options["axis"] = _only(options["axis"], "axis")
        return options

    def _option(self, key: str, value: Any) -> Any:
        """Translate the value of an option."""
        if key in _LAYER_OPTIONS:
            return self.entry(value)
        if key in _ACTIVATION_OPTIONS and isinstance(value, dict):
            return self.entry(value) if isinstance(value.get("config"), dict) else value
        if key in _ACTIVATION_OPTIONS and value == "hard_sigmoid" and self.is_keras_2:
            return "keras_2_hard_sigmoid"
        return value


def _without_effect(key: str, value: Any) -> bool:
    if key not in _WITHOUT_EFFECT:
        return False
    allowed = _WITHOUT_EFFECT[key]
    return not allowed or value in allowed


def _module_of(name: str, config: Entry) -> str:
    """Return the module of a class, which HDF5 files omit. `Add` may be a layer or an operation."""
    is_operation = name in OPERATIONS and "trainable" not in config
    return _OPERATIONS_MODULE if is_operation else "keras.layers"


def _function(config: Entry) -> Entry:
    """Return the entry of a TensorFlow function. Keras 2 writes operators such as `+` this way."""
    function = str(config.get("function"))
    known = function in TENSORFLOW_FUNCTIONS
    return {
        "module": _OPERATIONS_MODULE if known else "tensorflow",
        "class_name": f"tf.{function}",
        "config": {"name": config.get("name")},
    }


def _with_input(entries: list[Any], translated: list[Any]) -> list[Any]:
    """Prepend the input layer that the `batch_input_shape` of the first layer implies."""
    first = entries[0] if entries and isinstance(entries[0], dict) else {}
    config = first.get("config")
    if first.get("class_name") == "InputLayer" or not isinstance(config, dict):
        return translated
    inner = config.get("layer")
    inner = inner.get("config") if isinstance(inner, dict) else None
    shape = config.get("batch_input_shape")
    if shape is None and isinstance(inner, dict):
        shape = inner.get("batch_input_shape")
    if shape is None:
        return translated
    entry = {"batch_shape": shape, "dtype": "float32", "name": f"{config.get('name')}_input"}
    made = {"module": "keras.layers", "class_name": "InputLayer", "config": entry}
    return [made, *translated]


def _only(values: list[Any], option: str) -> Any:
    """Return the only value of a list."""
    if len(values) != 1:
        raise ArchiveError(f"A configuration has {option}={values!r}, where one is expected.")
    return values[0]
