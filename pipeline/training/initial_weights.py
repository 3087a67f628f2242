"""Weights of an earlier run or of a file, which a fit starts from."""

import re
from io import BytesIO
from pathlib import Path
from zipfile import ZipFile

import h5py

from pipeline.models.keras_backend import keras

_NO_WEIGHTS = ("optimizer", "metrics")  # groups of a file beside those of the layers
_VALUES = re.compile(r", value=\[")  # Keras's message goes on with the values of a variable
_LONGEST = 400


class InitialWeightsError(ValueError):
    """The weights do not fit the model; the message says why in one sentence."""


def load_initial_weights(model: keras.Model, file: Path) -> None:
    """Assign the weights of a `.keras` or `.weights.h5` file to a model.

    The state of random generators is not part of a file: dropout depends on the seed of the fit.

    Raises:
        InitialWeightsError: when the file is damaged, or not all of its arrays fit the model.
    """
    try:
        stored, own = _arrays(file), len(model.weights)
        if stored != own:
            raise InitialWeightsError(
                f"the file holds {stored} arrays of weights, and the model has {own}."
            )
        model.load_weights(file)
    except InitialWeightsError:
        raise
    except Exception as error:
        reason = _VALUES.split(" ".join(str(error).split()))[0][:_LONGEST]
        raise InitialWeightsError(f"{reason}.") from error


def _arrays(file: Path) -> int:
    """Return the number of arrays of a model in a file."""
    opened = file if file.suffix == ".h5" else BytesIO(ZipFile(file).read("model.weights.h5"))
    found: list[str] = []
    with h5py.File(opened) as weights:
        weights.visititems(
            lambda name, item: found.append(name) if isinstance(item, h5py.Dataset) else None
        )
    return sum(name.split("/")[0] not in _NO_WEIGHTS for name in found)
