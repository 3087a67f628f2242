"""The code inside a run's MLflow model; MLflow executes this file when it loads the model.

It imports nothing from the pipeline, so serving needs only `scratch_forward` (which is packaged
with the model), NumPy and h5py.
"""

from typing import Any

import numpy as np
from mlflow.models import set_model
from mlflow.pyfunc import PythonModel, PythonModelContext

from scratch_forward.classifier import Classifier
from scratch_forward.preprocessing import (
    ImagePreprocessing,
    InputsPreprocessing,
    Preprocessing,
    TablePreprocessing,
    TextPreprocessing,
)


class Answers:
    """Maps raw texts, images of integers, rows or arrays to class names and probabilities.

    It is separate from the MLflow class and has no type hints, because MLflow reads the hints of a
    `predict` defined there as the signature, and knows no hint for "texts or images".
    """

    classifier: Classifier

    def predict(self, context, model_input, params=None):  # type: ignore[no-untyped-def]
        """Return the `class` and the `probabilities` of all classes for each example.

        For several labels per example, `labels` takes the place of `class`; for a regression, the
        answer is `values` by target.

        Args:
            context: unused; part of MLflow's interface.
            model_input: a data frame with a column `text`, or with the columns of a table; images
                `(N, H, W, C)`, other arrays `(N, ...)`, or a dict of arrays.
            params: unused.
        """
        raw = _raw(model_input, self.classifier.preprocessing)
        return [answer.document for answer in self.classifier(raw)]


def _raw(given: Any, preprocessing: Preprocessing) -> Any:
    """Return the input in the form that the preprocessing takes."""
    if isinstance(preprocessing, InputsPreprocessing):
        return {name: _raw(given[name], one) for name, one in preprocessing.inputs.items()}
    if isinstance(preprocessing, TextPreprocessing):
        texts = given["text"] if hasattr(given, "columns") else given
        return [str(text) for text in texts]
    if isinstance(preprocessing, TablePreprocessing) and hasattr(given, "columns"):
        return given[list(preprocessing.columns)].to_numpy(float)
    if isinstance(preprocessing, ImagePreprocessing):
        return np.asarray(given).astype(np.uint8)
    return np.asarray(given)


class ScratchClassifier(Answers, PythonModel):
    """`Answers` as a model that MLflow can load."""

    def load_context(self, context: PythonModelContext) -> None:
        """Load the weights and the preprocessing; refuse a model that fails its parity card."""
        self.classifier = Classifier.load(context.artifacts["weights"], verify=True)


set_model(ScratchClassifier())
