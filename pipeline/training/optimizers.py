"""Keras optimizers by name."""

from typing import Any

from pipeline.models.keras_backend import keras

OPTIMIZERS = {
    "adam": keras.optimizers.Adam,
    "sgd": keras.optimizers.SGD,
    "rmsprop": keras.optimizers.RMSprop,
}


def build_optimizer(name: str, learning_rate: float, **options: Any) -> keras.optimizers.Optimizer:
    """Create an optimizer; `options` are its own arguments (`momentum`, `beta_1`, ...)."""
    return OPTIMIZERS[name](learning_rate=learning_rate, **options)
