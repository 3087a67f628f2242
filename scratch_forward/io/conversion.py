"""Conversion of model files of any supported format to `.keras` archives of Keras 3."""

from __future__ import annotations

import io
import json
import zipfile
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import h5py

from scratch_forward.errors import ArchiveError, Unsupported, UnsupportedModelError
from scratch_forward.io.archive import CONFIG, METADATA, WEIGHTS
from scratch_forward.io.call_nodes import Call, calls_of, is_keras_2
from scratch_forward.io.configuration import model_from_config
from scratch_forward.io.constants import Reference
from scratch_forward.io.keras_2_configuration import as_keras_3
from scratch_forward.io.limits import Limits
from scratch_forward.io.model_files import read_model_file
from scratch_forward.layers.base import Layer
from scratch_forward.nested_arrays import leaves, map_leaves

_KERAS_VERSION = "3.0.0"
_FUNCTIONAL_MODULE = "keras.src.models.functional"
_RECURRENT = ("LSTM", "GRU", "SimpleRNN", "RNN", "Bidirectional")
_NOT_CONVERTED = "what Keras 3 does not have, or keeps in text files, is not converted"
_WITH_ASSETS = ("TextVectorization", "StringLookup", "IntegerLookup")
_OWN_NAMES = ("keras_2_hard_sigmoid",)


def convert_model(source: Path, target: Path, limits: Limits) -> None:
    """Convert a model file to a `.keras` archive that Keras 3 can load.

    Args:
        source: A model file that `load` can read, without a layer that has a vocabulary.
        target: Path of the `.keras` file to write. It must not exist.

    Raises:
        ArchiveError: If the source is malformed, or the target exists or does not end in `.keras`.
        UnsupportedModelError: If the model uses features that are not supported, or that Keras 3
            does not have.
    """
    if target.suffix != ".keras" or target.exists():
        raise ArchiveError(f"Expected the name of a new .keras file, got {str(target)!r}.")
    file = read_model_file(source, limits)
    config = as_keras_3(file.config, file.is_keras_2)
    model = model_from_config(config, limits)
    lacking = list(_lacking(config, model.name))
    if lacking:
        raise UnsupportedModelError(lacking)
    file.assign(model)
    config = _entry(config, model.name)
    with zipfile.ZipFile(target, "x") as archive:
        archive.writestr(METADATA, json.dumps({"keras_version": _KERAS_VERSION}))
        archive.writestr(CONFIG, json.dumps(config))
        archive.writestr(WEIGHTS, _weights(model))


def _lacking(value: Any, path: str) -> Iterator[Unsupported]:
    """Yield features that Keras 3 does not have, and layers that need text files."""
    if isinstance(value, list):
        for item in value:
            yield from _lacking(item, path)
    elif isinstance(value, dict):
        kind = value.get("class_name")
        if isinstance(kind, str) and (kind.startswith("tf.") or kind in _WITH_ASSETS):
            yield Unsupported(path, "class_name", kind, _NOT_CONVERTED)
        for key, item in value.items():
            if isinstance(item, str) and item in _OWN_NAMES:
                yield Unsupported(path, key, "hard_sigmoid of Keras 2", _NOT_CONVERTED)
            yield from _lacking(item, path)


def _weights(model: Layer) -> bytes:
    """Return the content of the weights file of a model."""
    buffer = io.BytesIO()
    with h5py.File(buffer, "w") as file:
        for path, layer in model.walk():
            group = file.create_group(f"{path}/vars" if path else "vars")
            for index, array in enumerate(layer.weights.values()):
                group[str(index)] = array
    return buffer.getvalue()


def _model_config(config: dict[str, Any], path: str) -> dict[str, Any]:
    """Convert the calls of a graph, and of graphs nested in it, to the format of Keras 3."""
    entries = [_entry(entry, path) for entry in config["layers"]]
    if not any(map(is_keras_2, entries)):
        return {**config, "layers": entries}
    calls = [calls_of(entry, None, path) for entry in entries]
    ends = {key: _read_ends(config[key], path) for key in ("input_layers", "output_layers")}
    first = _first_calls(entries, [call for one in calls for call in one.calls], ends)
    for entry, one in zip(entries, calls, strict=True):
        entry["inbound_nodes"] = [_node(entry["class_name"], call, first) for call in one.calls]
    graphs = {e["name"] for e in entries if e["class_name"] == "Functional"}

    def end(reference: Reference) -> list[Any]:
        call = reference.call - first.get(reference.layer, 0) + (reference.layer in graphs)
        return [reference.layer, call, reference.output]

    return {**config, "layers": entries, **{key: map_leaves(end, it) for key, it in ends.items()}}


def _entry(entry: dict[str, Any], path: str) -> dict[str, Any]:
    inner = entry["config"]
    if isinstance(inner.get("layers"), list):
        inner = _model_config(inner, f"{path}/{inner.get('name')}")
    return {**entry, "module": _module(entry), "config": inner, "registered_name": None}


def _module(entry: dict[str, Any]) -> Any:
    """Return the module of a class. Keras 3 has no public module for `Functional`."""
    return _FUNCTIONAL_MODULE if entry["class_name"] == "Functional" else entry["module"]


def _read_ends(value: Any, path: str) -> Any:
    if isinstance(value, dict):
        return {key: _read_ends(item, path) for key, item in value.items()}
    if isinstance(value[0], str):
        return Reference.read(value, path)
    return [_read_ends(item, path) for item in value]


def _first_calls(entries: list[Any], calls: list[Call], ends: Any) -> dict[str, int]:
    """Return the number that Keras 2 assigns to the first call of each nested model."""
    named: dict[str, set[int]] = {}
    for references in (leaves(ends["output_layers"]), *(call.references() for call in calls)):
        for reference in references:
            named.setdefault(reference.layer, set()).add(reference.call)
    models = [e["name"] for e in entries if e["class_name"] in ("Functional", "Sequential")]
    return {name: min(named[name]) for name in models if name in named}


def _node(class_name: str, call: Call, first: dict[str, int]) -> dict[str, Any]:
    """Return one call in the format of Keras 3."""

    def value(item: Any) -> Any:
        if not isinstance(item, Reference):
            return item
        history = [item.layer, item.call - first.get(item.layer, 0), item.output]
        tensor = {"shape": [None], "dtype": "float32", "keras_history": history}
        return {"class_name": "__keras_tensor__", "config": tensor}

    args, kwargs = map_leaves(value, call.args), map_leaves(value, call.kwargs)
    if class_name in _RECURRENT and isinstance(args[0], list):
        first_argument, *states = args[0]
        args, kwargs["initial_state"] = [first_argument], states
    return {"args": args, "kwargs": kwargs}
