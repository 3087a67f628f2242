"""Models that consist of dense layers."""

from __future__ import annotations

from typing import TYPE_CHECKING

from pipeline.data.data_spec import ArraySpec, ImageSpec, TableSpec
from pipeline.models.head import add_head, penalty
from pipeline.settings.schema import Penalty, Share, Widths

if TYPE_CHECKING:
    from pipeline.models.keras_backend import keras


def mlp(
    data: ImageSpec | TableSpec | ArraySpec,
    *,
    widths: Widths = (128, 64),
    dropout: Share = 0.0,
    l1: Penalty = 0.0,
    l2: Penalty = 0.0,
) -> keras.Model:
    """A multilayer perceptron: dense layers with ReLU on pixels or numbers, then softmax."""
    from pipeline.models.keras_backend import keras

    model = keras.Sequential(name="mlp")
    model.add(keras.Input(data.input_shape))
    model.add(keras.layers.Flatten())
    for width in widths:
        model.add(keras.layers.Dense(width, "relu", kernel_regularizer=penalty(l1, l2)))
    return add_head(model, data, dropout, l1, l2)
