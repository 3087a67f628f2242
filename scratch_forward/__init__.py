"""An independent forward pass for Keras models, with NumPy for arithmetic and h5py for weights.

Load a model and predict:

    model = scratch_forward.load("model.keras")
    probabilities = model.predict(x)
"""

from scratch_forward import activations, layers
from scratch_forward.classifier import Classifier
from scratch_forward.errors import ArchiveError, InvalidOption, Unsupported, UnsupportedModelError
from scratch_forward.io.limits import Limits
from scratch_forward.io.loading import from_keras, load
from scratch_forward.layers import *  # noqa: F403
from scratch_forward.models.functional import Model
from scratch_forward.models.sequential import Sequential
from scratch_forward.predictions import LabelPrediction, Prediction, ValuePrediction

__all__ = [
    "ArchiveError",
    "Classifier",
    "InvalidOption",
    "LabelPrediction",
    "Limits",
    "Model",
    "Prediction",
    "Sequential",
    "Unsupported",
    "UnsupportedModelError",
    "ValuePrediction",
    "activations",
    "from_keras",
    "layers",
    "load",
    *layers.__all__,
]
