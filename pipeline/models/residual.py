"""Residual models for images."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from pipeline.data.data_spec import ImageSpec
from pipeline.models.head import output_layer, penalty
from pipeline.settings.schema import Count, Penalty, Share, Widths

if TYPE_CHECKING:
    from pipeline.models.keras_backend import keras


def resnet(
    data: ImageSpec,
    *,
    filters: Widths = (16, 32, 64),
    blocks: Count = 1,
    dropout: Share = 0.0,
    l1: Penalty = 0.0,
    l2: Penalty = 0.0,
) -> keras.Model:
    """A small residual network for CIFAR (He et al., 2016, section 4.2): groups of blocks.

    Each group after the first halves height and width.
    """
    from pipeline.models.keras_backend import keras

    regularizer = penalty(l1, l2)
    inputs = keras.Input(data.input_shape)
    features = _normalized(inputs, filters[0], 1, regularizer)
    features = keras.layers.ReLU()(features)
    for group, width in enumerate(filters):
        for number in range(blocks):
            stride = 2 if group and not number else 1
            features = _block(features, width, stride, regularizer)
    features = keras.layers.GlobalAveragePooling2D()(features)
    if dropout:
        features = keras.layers.Dropout(dropout)(features)
    outputs = output_layer(regularizer, data)(features)
    return keras.Model(inputs, outputs, name="resnet")


def _block(features: Any, width: int, stride: int, regularizer: Any) -> Any:
    """Two convolutions and a shortcut, which is a 1x1 convolution where the shape changes."""
    from pipeline.models.keras_backend import keras

    inner = keras.layers.ReLU()(_normalized(features, width, stride, regularizer))
    inner = _normalized(inner, width, 1, regularizer)
    if stride != 1 or features.shape[-1] != width:
        features = _normalized(features, width, stride, regularizer, kernel_size=1)
    return keras.layers.ReLU()(keras.layers.Add()([inner, features]))


def _normalized(
    features: Any, width: int, stride: int, regularizer: Any, kernel_size: int = 3
) -> Any:
    """A convolution without bias, followed by batch normalization."""
    from pipeline.models.keras_backend import keras

    convolution = keras.layers.Conv2D(
        width,
        kernel_size,
        strides=stride,
        padding="same",
        use_bias=False,
        kernel_regularizer=regularizer,
    )
    return keras.layers.BatchNormalization()(convolution(features))
