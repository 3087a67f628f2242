"""From a model function and its settings to a Keras model that can be trained and checked."""

from collections.abc import Mapping
from typing import Any

import scratch_forward
from pipeline.data.data_spec import DataSpec, ImageSpec, TextSpec
from pipeline.data.dataset import Dataset
from pipeline.errors import summary
from pipeline.models.keras_backend import keras
from pipeline.settings.model_function import model_function
from scratch_forward.preprocessing import ImagePreprocessing


class ModelFunctionError(ValueError):
    """A model function that gives no model for its data; the message says why."""


def data_spec(dataset: Dataset) -> DataSpec:
    """What a model has to fit to be trained on a data set."""
    reading, outputs = dataset.preprocessing, len(dataset.classes)
    if isinstance(reading, ImagePreprocessing):
        return ImageSpec(reading.input_shape, "float32", outputs)
    return TextSpec(
        (reading.sequence_length,),
        "int32",
        outputs,
        vocabulary_size=len(reading.vocabulary),
        sequence_length=reading.sequence_length,
    )


def build_model(name: str, data: DataSpec, options: Mapping[str, Any]) -> keras.Model:
    """Call a model function.

    Args:
        name: of the model, as `model=` chooses it.
        data: what it has to fit.
        options: its settings.

    Raises:
        ModelFunctionError: it raises, or gives something else than a model for these data.
        UnsupportedModelError: it has a layer that could not be checked after the training.
    """
    function = model_function(name).function
    try:
        model = function(data, **options)
    except Exception as error:
        raise ModelFunctionError(f"model={name} raises {summary(error)}") from error
    if not isinstance(model, keras.Model):
        raise ModelFunctionError(
            f"model={name} returns {type(model).__name__} instead of a keras.Model."
        )
    _check_shapes(name, model, data)
    scratch_forward.from_keras(model)
    return model


def _check_shapes(name: str, model: keras.Model, data: DataSpec) -> None:
    for what, given, wanted in (
        ("takes inputs", getattr(model, "input_shape", None), (None, *data.input_shape)),
        ("gives outputs", getattr(model, "output_shape", None), (None, data.outputs)),
    ):
        if given != wanted:
            raise ModelFunctionError(
                f"model={name} {what} of shape {given}; the data need {wanted} "
                "(None is the number of examples)."
            )
