"""A model from a file."""

from __future__ import annotations

from typing import TYPE_CHECKING

from pipeline.data.data_spec import DataSpec

if TYPE_CHECKING:
    from pipeline.models.keras_backend import keras


def keras_file(data: DataSpec, *, path: str, weights: bool = False) -> keras.Model:
    """A model that Keras has saved as a `.keras` or `.h5` file; it is compiled anew.

    Args:
        path: the file.
        weights: whether to start from its weights; else they are drawn anew.
    """
    from pipeline.models.keras_backend import keras

    stored = keras.models.load_model(path, compile=False)
    return stored if weights else keras.models.clone_model(stored)
