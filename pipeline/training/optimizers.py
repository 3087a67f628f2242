"""Keras's optimizers by name."""

from typing import Any

from pipeline.models.keras_backend import keras
from pipeline.settings.optimizer_arguments import keras_optimizers


def build_optimizer(name: str, learning_rate: float, **options: Any) -> keras.optimizers.Optimizer:
    """Create an optimizer; `options` are its own arguments (`momentum`, `beta_1`, ...)."""
    kind = getattr(keras.optimizers, keras_optimizers()[name])
    return kind(learning_rate=learning_rate, **options)
