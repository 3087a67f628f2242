"""The code inside a run's MLflow model; MLflow executes this file when it loads the model.

It imports nothing from the pipeline, so serving needs only `scratch_forward` (which is packaged
with the model), NumPy and h5py.
"""

from typing import Any

import numpy as np
from mlflow.models import set_model
from mlflow.pyfunc import PythonModel, PythonModelContext

from scratch_forward.classifier import Classifier
from scratch_forward.preprocessing import TextPreprocessing


class Answers:
    """Maps texts, or images of integers from 0 to 255, to class names and probabilities.

    It is separate from the MLflow class and has no type hints, because MLflow reads the hints of a
    `predict` defined there as the signature, and knows no hint for "texts or images".
    """

    classifier: Classifier

    def predict(self, context, model_input, params=None):  # type: ignore[no-untyped-def]
        """Return the `class` and the `probabilities` of all classes for each example.

        Args:
            context: unused; part of MLflow's interface.
            model_input: a data frame with a column `text`, or images `(N, H, W, C)`.
            params: unused.
        """
        if isinstance(self.classifier.preprocessing, TextPreprocessing):
            raw: Any = [str(text) for text in model_input["text"]]
        else:
            raw = np.asarray(model_input).astype(np.uint8)
        return [
            {"class": answer.class_name, "probabilities": answer.probabilities}
            for answer in self.classifier(raw)
        ]


class ScratchClassifier(Answers, PythonModel):
    """`Answers` as a model that MLflow can load."""

    def load_context(self, context: PythonModelContext) -> None:
        """Load the weights and the preprocessing; refuse a model that fails its parity card."""
        self.classifier = Classifier.load(context.artifacts["weights"], verify=True)


set_model(ScratchClassifier())
