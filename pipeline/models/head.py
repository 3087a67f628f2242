"""The output layers and the kernel regularization that several models share."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from pipeline.models.keras_backend import keras


def add_head(
    model: keras.Sequential, outputs: int, dropout: float, l1: float, l2: float
) -> keras.Model:
    """Add optional dropout and a softmax layer; return the model."""
    from pipeline.models.keras_backend import keras

    if dropout:
        model.add(keras.layers.Dropout(dropout))
    model.add(keras.layers.Dense(outputs, "softmax", kernel_regularizer=penalty(l1, l2)))
    return model


def penalty(l1: float, l2: float) -> keras.regularizers.Regularizer | None:
    """Return an L1/L2 regularizer of a kernel; None if both factors are 0."""
    from pipeline.models.keras_backend import keras

    return keras.regularizers.L1L2(l1, l2) if l1 or l2 else None
