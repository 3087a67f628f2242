"""Small model archives written without Keras, to be read, damaged and attacked."""

import io
import json
import zipfile
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import h5py
import numpy as np

KERNEL = np.array([[1.0, 2.0], [3.0, -4.0]], np.float32)
BIAS = np.array([0.5, 1.0], np.float32)


def tensor(name: str) -> dict[str, Any]:
    """Describe the output of a layer, as an argument in a functional model."""
    return {"class_name": "__keras_tensor__", "config": {"keras_history": [name, 0, 0]}}


TENSOR = tensor("x")


def dense_config(**options: Any) -> dict[str, Any]:
    """Describe a Sequential model of one Dense layer on two features."""
    dense = {"name": "dense", "units": 2, "activation": "relu", "use_bias": True, **options}
    return sequential(entry("Dense", dense))


def sequential(*layers: dict[str, Any], shape: tuple = (None, 2)) -> dict[str, Any]:
    """Describe a Sequential model."""
    first = entry("InputLayer", {"name": "input_layer", "batch_shape": list(shape)})
    config = {"name": "sequential", "layers": [first, *layers]}
    return {"module": "keras", "class_name": "Sequential", "config": config}


def entry(class_name: str, config: dict[str, Any], module: str = "keras.layers") -> dict[str, Any]:
    """Describe a layer."""
    return {"module": module, "class_name": class_name, "config": config}


def operation(class_name: str, shape: tuple = (None, 2), **options: Any) -> dict[str, Any]:
    """Describe a functional model of one operation on its input, a step that is no layer."""
    step = entry(class_name, {"name": "y", **options}, module="keras.src.ops.numpy")
    return functional(step, TENSOR, shape)


def functional(step: dict[str, Any], argument: Any, shape: tuple = (None, 2)) -> dict[str, Any]:
    """Describe a functional model of one step, called on an argument made of its `TENSOR`."""
    first = entry("InputLayer", {"name": "x", "batch_shape": list(shape)})
    layers = [
        first | {"name": "x", "inbound_nodes": []},
        step | {"name": "y", "inbound_nodes": [{"args": [argument], "kwargs": {}}]},
    ]
    ends = {"input_layers": [["x", 0, 0]], "output_layers": [["y", 0, 0]]}
    config = {"name": "functional", "layers": layers, **ends}
    return {"module": "keras", "class_name": "Functional", "config": config}


def dense_weights(
    kernel: np.ndarray = KERNEL, bias: np.ndarray = BIAS, prefix: str = "layers/dense"
) -> bytes:
    """Write the weights of the Dense layer as Keras lays them out."""
    return weights({f"{prefix}/vars/0": kernel, f"{prefix}/vars/1": bias})


def weights(arrays: Mapping[str, np.ndarray]) -> bytes:
    """Write arrays to an HDF5 file by path."""
    buffer = io.BytesIO()
    with h5py.File(buffer, "w") as file:
        for path, array in arrays.items():
            file[path] = array
    return buffer.getvalue()


def write(path: Path, members: Mapping[str, bytes | str], compression: int = 0) -> Path:
    """Write a zip file of members."""
    path.write_bytes(packed(members, compression))
    return path


def packed(members: Mapping[str, bytes | str], compression: int = 0) -> bytes:
    """Return a zip file of members."""
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w", compression) as archive:
        for name, content in members.items():
            archive.writestr(name, content)
    return buffer.getvalue()


def dense_members(**changed: Any) -> dict[str, Any]:
    """Return the members of a valid archive, some of them replaced."""
    return {
        "metadata.json": "{}",
        "config.json": json.dumps(dense_config()),
        "model.weights.h5": dense_weights(),
    } | changed


def keras_2_config() -> dict[str, Any]:
    """Describe a graph that calls a model inside twice, as Keras 2 does in an HDF5 file."""
    first = {"class_name": "InputLayer", "config": {"name": "x", "batch_input_shape": [None, 2]}}
    dense = {"name": "d", "units": 2, "activation": "hard_sigmoid", "batch_input_shape": [None, 2]}
    inner = {"name": "s", "layers": [{"class_name": "Dense", "config": dense}]}
    layers = [
        first | {"name": "x", "inbound_nodes": []},
        {"class_name": "Sequential", "config": inner, "name": "s"}
        | {"inbound_nodes": [[["x", 0, 0, {}]], [["s", 1, 0, {}]]]},
        {"class_name": "TFOpLambda", "config": {"name": "m", "function": "math.multiply"}}
        | {"name": "m", "inbound_nodes": [["s", 2, 0, {"y": ["s", 1, 0]}]]},
    ]
    ends = {"input_layers": [["x", 0, 0]], "output_layers": [["m", 0, 0]]}
    return {"class_name": "Model", "config": {"name": "g", "layers": layers, **ends}}


def hdf5_model(config: str | bytes) -> bytes:
    """Write a whole model of one layer with weights as Keras 2 does."""
    buffer = io.BytesIO()
    with h5py.File(buffer, "w") as file:
        file.attrs["model_config"], file.attrs["keras_version"] = config, "2.4.0"
        group = file.create_group("model_weights")
        group.attrs["layer_names"] = ["x", "s", "m"]
        for name in ("x", "s", "m"):
            group.create_group(name).attrs["weight_names"] = np.empty(0, "S1")
        group["s"].attrs["weight_names"] = ["d/kernel:0", "d/bias:0"]
        group["s/d/kernel:0"], group["s/d/bias:0"] = KERNEL, BIAS
    return buffer.getvalue()
