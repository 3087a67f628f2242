"""The code inside a run's MLflow model; MLflow runs this file when it loads the model.

It imports nothing of the pipeline, so that serving needs `scratch_forward` (which travels with the
model), NumPy and h5py.
"""

from typing import Any

import numpy as np
from mlflow.models import set_model
from mlflow.pyfunc import PythonModel, PythonModelContext

from scratch_forward.classifier import Classifier
from scratch_forward.preprocessing import TextPreprocessing


class Answers:
    """Texts, or images of whole numbers from 0 to 255, to class names and probabilities.

    Apart from the MLflow class and without type hints, because MLflow asks a `predict` defined
    there for hints, and reads any as the signature; it knows none for "texts or images".
    """

    classifier: Classifier

    def predict(self, context, model_input, params=None):  # type: ignore[no-untyped-def]
        """Answer each example with its `class` and the `probabilities` of all classes.

        Args:
            context: MLflow's; not used.
            model_input: a data frame with a column `text`, or images `(N, H, W, C)`.
            params: not used.
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
    """The same, as MLflow loads it."""

    def load_context(self, context: PythonModelContext) -> None:
        """Read the weights and the preprocessing; refuse a model that fails its parity card."""
        self.classifier = Classifier.load(context.artifacts["weights"], verify=True)


set_model(ScratchClassifier())
