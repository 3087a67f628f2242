"""What the models here end in, and the penalties on their kernels."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from pipeline.models.keras_backend import keras


def add_head(
    model: keras.Sequential, outputs: int, dropout: float, l1: float, l2: float
) -> keras.Model:
    """Add dropout, if any, and a softmax layer; gives the model back."""
    from pipeline.models.keras_backend import keras

    if dropout:
        model.add(keras.layers.Dropout(dropout))
    model.add(keras.layers.Dense(outputs, "softmax", kernel_regularizer=penalty(l1, l2)))
    return model


def penalty(l1: float, l2: float) -> keras.regularizers.Regularizer | None:
    """A penalty on a kernel's absolute and squared values; None where both are 0."""
    from pipeline.models.keras_backend import keras

    return keras.regularizers.L1L2(l1, l2) if l1 or l2 else None
