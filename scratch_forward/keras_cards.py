"""Parity cards, written with Keras where it is installed. No other module imports Keras."""

from __future__ import annotations

import importlib
from pathlib import Path
from typing import Any

import numpy as np

from scratch_forward.card import write_card
from scratch_forward.io.limits import Limits
from scratch_forward.io.model_files import read_model_file
from scratch_forward.models.functional import Model
from scratch_forward.models.sequential import Sequential


def write_card_by_keras(path: Path, model: Model | Sequential, limits: Limits) -> Path:
    """Write the card of a model file with the predictions of the Keras version that wrote the file.

    Returns:
        The path of the card.

    Raises:
        ValueError: If that version of Keras is not installed: `tf_keras` for a file of Keras 2.
    """
    package = "tf_keras" if read_model_file(path, limits).is_keras_2 else "keras"
    try:
        keras = importlib.import_module(package)
    except ImportError as error:
        raise ValueError(f"{package} is not installed, which has to write the card.") from error
    keras_model = keras.models.load_model(path, compile=False)

    def answers(arrays: list[Any]) -> Any:
        return keras_model.predict(model.arranged(arrays), batch_size=len(arrays[0]), verbose=0)

    about = {package: keras.__version__, "numpy": np.__version__}
    return write_card(path, model, answers, about)
