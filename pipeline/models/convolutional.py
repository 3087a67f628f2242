"""Convolutional models for images."""

from __future__ import annotations

from typing import TYPE_CHECKING, Literal

from pipeline.data.data_spec import ImageSpec
from pipeline.models.head import add_head, penalty
from pipeline.settings.schema import Count, Penalty, Share, Widths

if TYPE_CHECKING:
    from pipeline.models.keras_backend import keras


def cnn(
    data: ImageSpec,
    *,
    filters: Widths = (32, 64),
    kernel_size: Count = 3,
    pooling: Literal["max", "average"] = "max",
    conv_padding: Literal["same", "valid"] = "same",
    batch_norm: bool = False,
    dense_units: Count = 128,
    dropout: Share = 0.0,
    l1: Penalty = 0.0,
    l2: Penalty = 0.0,
) -> keras.Model:
    """Convolutions, each with ReLU and 2x2 pooling, then a dense layer, dropout, softmax.

    Returns:
        A model from float32 images `(N, height, width, channels)` to float32 probabilities
        `(N, outputs)`.
    """
    from pipeline.models.keras_backend import keras

    pool = {"max": keras.layers.MaxPooling2D, "average": keras.layers.AveragePooling2D}[pooling]
    model = keras.Sequential(name="cnn")
    model.add(keras.Input(data.input_shape))
    for width in filters:
        _add_convolution(model, width, kernel_size, conv_padding, batch_norm, penalty(l1, l2))
        model.add(pool(2))
    model.add(keras.layers.Flatten())
    model.add(keras.layers.Dense(dense_units, "relu", kernel_regularizer=penalty(l1, l2)))
    return add_head(model, data, dropout, l1, l2)


def _add_convolution(
    model: keras.Model,
    filters: int,
    kernel_size: int,
    padding: str,
    batch_norm: bool,
    regularizer: keras.regularizers.Regularizer | None,
) -> None:
    from pipeline.models.keras_backend import keras

    shared = {"padding": padding, "kernel_regularizer": regularizer}
    if not batch_norm:
        model.add(keras.layers.Conv2D(filters, kernel_size, activation="relu", **shared))
        return
    # The bias of the batch normalization makes the convolution's bias redundant.
    model.add(keras.layers.Conv2D(filters, kernel_size, use_bias=False, **shared))
    model.add(keras.layers.BatchNormalization())
    model.add(keras.layers.ReLU())
