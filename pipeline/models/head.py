"""The output layers and the kernel regularization that several models share."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from pipeline.data.data_spec import DataSpec
    from pipeline.models.keras_backend import keras


def add_head(
    model: keras.Sequential, data: DataSpec, dropout: float, l1: float, l2: float
) -> keras.Model:
    """Add optional dropout and the output layer; return the model."""
    from pipeline.models.keras_backend import keras

    if dropout:
        model.add(keras.layers.Dropout(dropout))
    model.add(output_layer(penalty(l1, l2), data))
    return model


def output_layer(
    regularizer: keras.regularizers.Regularizer | None, data: DataSpec
) -> keras.layers.Layer:
    """Return a dense layer with the outputs and the activation of the task."""
    from pipeline.models.keras_backend import keras
    from pipeline.tasks import task_named

    activation = task_named(data.task).activation
    return keras.layers.Dense(data.outputs, activation, kernel_regularizer=regularizer)


def penalty(l1: float, l2: float) -> keras.regularizers.Regularizer | None:
    """Return an L1/L2 regularizer of a kernel; None if both factors are 0."""
    from pipeline.models.keras_backend import keras

    return keras.regularizers.L1L2(l1, l2) if l1 or l2 else None
