"""Whether a model's outputs fit the task; logits of classes get a softmax layer."""

from collections.abc import Mapping
from typing import Any

import numpy as np

from pipeline.data.data_spec import DataSpec, InputsSpec
from pipeline.models.keras_backend import keras
from pipeline.models.model_function_error import ModelFunctionError

_EXAMPLES = 8  # random inputs for a model whose last activation is not visible
_KNOWN = ("softmax", "sigmoid", "linear")
_OF_TASK = {"multiclass": "softmax", "binary": "sigmoid", "multilabel": "sigmoid"}
_WANTED = {
    "multiclass": "softmax, or no activation (logits)",
    "binary": "sigmoid: the probability of the second class",
    "multilabel": "sigmoid: the probability of each label",
}


def fitted_outputs(name: str, model: keras.Model, data: DataSpec) -> keras.Model:
    """Return the model, with a softmax layer if it ends in the logits of classes.

    The activation of the last layer decides. Where it is another one, or not visible, the model is
    called with random inputs.

    Args:
        name: name of the model, as in `model=`.
        model: outputs `(N, outputs)`.
        data: the data and the task that the model must fit.

    Raises:
        ModelFunctionError: when the outputs do not fit the task.
    """
    found = _last_activation(model)
    if found == "softmax" and data.outputs == 1:
        raise ModelFunctionError(
            f"model={name} ends in softmax over one output, which is always 1: use sigmoid for two "
            "classes, or no activation for a regression."
        )
    if data.task not in _OF_TASK:
        return model
    if found is None:
        found = _seen_activation(_outputs(model, data))
    if found == _OF_TASK[data.task]:
        return model
    if found == "linear" and data.task == "multiclass":
        return _with_softmax(model)
    raise ModelFunctionError(
        f"model={name} ends in {found}, but task={data.task} needs {_WANTED[data.task]}."
    )


def _last_activation(model: keras.Model) -> str | None:
    """Return the activation of the layer that gives the output, if its name says what it is."""
    layer = model.outputs[0]._keras_history.operation
    if isinstance(layer, keras.layers.Softmax):
        return "softmax"
    name = getattr(getattr(layer, "activation", None), "__name__", None)
    return name if name in _KNOWN else None


def _seen_activation(outputs: np.ndarray) -> str:
    """Return what the outputs look like: softmax, sigmoid or linear."""
    if (outputs < 0).any() or (outputs > 1).any():
        return "linear"
    sums = outputs.sum(axis=1, dtype=np.float64)
    return "softmax" if outputs.shape[1] > 1 and np.abs(sums - 1).max() < 1e-3 else "sigmoid"


def _outputs(model: keras.Model, data: DataSpec) -> np.ndarray:
    """Return the outputs for random inputs, `(N, outputs)`."""
    rng = np.random.default_rng(0)
    return np.asarray(model(_random(data, rng), training=False))


def _random(data: DataSpec, rng: np.random.Generator) -> Any:
    if isinstance(data, InputsSpec):
        return {name: _random(one, rng) for name, one in data.inputs.items()}
    assert not isinstance(data.input_shape, Mapping)
    shape = (_EXAMPLES, *data.input_shape)
    if data.dtype == "int32":
        return rng.integers(0, data.vocabulary_size or 2, shape).astype(np.int32)
    return rng.standard_normal(shape).astype(np.float32)


def _with_softmax(model: keras.Model) -> keras.Model:
    if isinstance(model, keras.Sequential):
        model.add(keras.layers.Softmax())
        return model
    outputs = keras.layers.Softmax()(model.outputs[0])
    return keras.Model(model.input, outputs, name=model.name)
