"""Calls a model function and checks that its Keras model can be trained and verified."""

from collections.abc import Mapping
from dataclasses import replace
from typing import Any

import scratch_forward
from pipeline.data.data_spec import (
    ArraySpec,
    DataSpec,
    ImageSpec,
    InputsSpec,
    TableSpec,
    TextSpec,
)
from pipeline.data.dataset import Dataset
from pipeline.data.label_task import AUTO
from pipeline.errors import summary
from pipeline.models.keras_backend import keras
from pipeline.models.model_function_error import ModelFunctionError
from pipeline.models.output_fit import fitted_outputs
from pipeline.settings import Settings
from pipeline.settings.model_function import model_function
from pipeline.tasks import task_named
from scratch_forward.preprocessing import (
    ImagePreprocessing,
    InputsPreprocessing,
    Preprocessing,
    TablePreprocessing,
    TextPreprocessing,
)


def data_spec(dataset: Dataset) -> DataSpec:
    """Return the shapes and the meaning of a data set, which a model must fit."""
    task = task_named(dataset.task)
    return _spec(dataset.preprocessing, task.outputs(len(dataset.classes)), task.name)


def _spec(reading: Preprocessing, outputs: int, task: str) -> DataSpec:
    meaning = (outputs, task)
    if isinstance(reading, InputsPreprocessing):
        inputs: dict[str, Any] = {
            name: _spec(one, *meaning) for name, one in reading.inputs.items()
        }
        shapes = {name: one.input_shape for name, one in inputs.items()}
        dtypes = {name: one.dtype for name, one in inputs.items()}
        return InputsSpec(shapes, dtypes, *meaning, inputs=inputs)
    if isinstance(reading, TextPreprocessing):
        return TextSpec(
            (reading.sequence_length,),
            "int32",
            *meaning,
            vocabulary_size=len(reading.vocabulary),
            sequence_length=reading.sequence_length,
        )
    if isinstance(reading, TablePreprocessing):
        return TableSpec(reading.input_shape, "float32", *meaning, columns=reading.columns)
    if isinstance(reading, ImagePreprocessing):
        return ImageSpec(reading.input_shape, "float32", *meaning)
    return ArraySpec(reading.input_shape, reading.dtype, *meaning)


def build_model(
    name: str, data: DataSpec, options: Mapping[str, Any], *, provable: bool = True
) -> keras.Model:
    """Call a model function.

    Args:
        name: name of the model, as in `model=`.
        data: the data that the model must fit.
        options: the settings of the model.
        provable: whether every layer must have a NumPy equivalent.

    Raises:
        ModelFunctionError: when the function raises, or returns no model for these data.
        UnsupportedModelError: when a layer has no NumPy equivalent, so that the trained model
            could not be checked.
    """
    model = _called(name, data, options)
    _check_shapes(name, model, data)
    model = fitted_outputs(name, model, data)
    if provable:
        scratch_forward.from_keras(model)
    return model


def suited(settings: Settings, dataset: Dataset) -> Dataset:
    """Return the data set with the task that the model asks for.

    Two classes are binary if a user's model has one output, unless `task=` says otherwise.

    Raises:
        ModelFunctionError: see `build_model`.
    """
    name, open_task = settings.model_name, settings.training.task == AUTO
    two = dataset.task == "multiclass" and len(dataset.classes) == 2
    if not (open_task and two and model_function(name).own):
        return dataset
    model = _called(name, data_spec(dataset), settings.model.model_dump())
    one_output = getattr(model, "output_shape", None) == (None, 1)
    return replace(dataset, task="binary") if one_output else dataset


def _called(name: str, data: DataSpec, options: Mapping[str, Any]) -> keras.Model:
    function = model_function(name).function
    try:
        model = function(data, **options)
    except Exception as error:
        raise ModelFunctionError(f"model={name} raises {summary(error)}") from error
    if not isinstance(model, keras.Model):
        raise ModelFunctionError(
            f"model={name} returns {type(model).__name__} instead of a keras.Model."
        )
    return model


def _check_shapes(name: str, model: keras.Model, data: DataSpec) -> None:
    for what, given, wanted in (
        ("takes inputs", _input_shapes(model, data), _batched(data.input_shape)),
        ("gives outputs", getattr(model, "output_shape", None), (None, data.outputs)),
    ):
        if given != wanted:
            raise ModelFunctionError(
                f"model={name} {what} of shape {given}; the data need {wanted} "
                "(None is the number of examples)."
            )


def _input_shapes(model: keras.Model, data: DataSpec) -> Any:
    """Return the shape of a model's input, or of each of several by its name."""
    inputs = getattr(model, "input", None)
    if isinstance(inputs, list):
        inputs = {tensor.name: tensor for tensor in inputs}
    if isinstance(data, InputsSpec) and isinstance(inputs, dict):
        return {name: tensor.shape for name, tensor in inputs.items()}
    return getattr(model, "input_shape", None)


def _batched(shape: Any) -> Any:
    if isinstance(shape, Mapping):
        return {name: (None, *one) for name, one in shape.items()}
    return (None, *shape)
