"""From raw input to class names: a model together with the way its input is made.

classifier = scratch_forward.Classifier.load("weights")
classifier(["makanannya enak sekali"])[0].class_name
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from scratch_forward.errors import ArchiveError, PreprocessingError
from scratch_forward.io.loading import load
from scratch_forward.models.functional import Model
from scratch_forward.models.sequential import Sequential
from scratch_forward.preprocessing import ImagePreprocessing, TextPreprocessing, from_json

MODEL_FILE = "model.keras"
PREPROCESSING_FILE = "preprocessing.json"


@dataclass(frozen=True)
class Prediction:
    """The answer for one example.

    Attributes:
        class_name: the most probable class.
        probabilities: of every class by name, most probable first.
    """

    class_name: str
    probabilities: dict[str, float]


@dataclass(frozen=True, eq=False)
class Classifier:
    """A model that takes raw texts, or raw images, and answers with class names.

    Attributes:
        model: gives probabilities `(N, classes)`.
        preprocessing: turns raw input into the model's, and names the classes.
    """

    model: Model | Sequential
    preprocessing: TextPreprocessing | ImagePreprocessing

    @classmethod
    def load(cls, folder: str | Path, verify: bool = False) -> Classifier:
        """Read `model.keras` and `preprocessing.json` from one folder.

        Args:
            folder: where both lie.
            verify: replay the parity card that lies there too, before the model is used.

        Raises:
            ArchiveError: a file is missing or malformed, or the model fails its card.
            UnsupportedModelError: the model uses what is not supported.
        """
        described = Path(folder) / PREPROCESSING_FILE
        try:
            preprocessing = from_json(described.read_text(encoding="utf-8"))
        except (OSError, PreprocessingError) as error:
            raise ArchiveError(f"{described} cannot be used: {error}") from error
        return cls(load(Path(folder) / MODEL_FILE, verify=verify), preprocessing)

    def probabilities(self, raw: Sequence[str] | NDArray[np.uint8]) -> NDArray[np.float32]:
        """Probabilities `(N, classes)`, float32.

        Args:
            raw: N texts, or images as uint8 of shape `(N, height, width, channels)`.

        Raises:
            PreprocessingError: the input is not of the kind that the model reads.
        """
        encoded: NDArray[Any]
        if isinstance(self.preprocessing, TextPreprocessing):
            if isinstance(raw, str) or not all(isinstance(text, str) for text in raw):
                raise PreprocessingError("This model reads texts: expected a list of strings.")
            encoded = self.preprocessing.encode(raw)
        else:
            encoded = self.preprocessing.encode(np.asarray(raw))
        return self.model.predict(encoded)

    def __call__(self, raw: Sequence[str] | NDArray[np.uint8]) -> list[Prediction]:
        """Answer for each of N raw examples; see `probabilities`."""
        names = self.preprocessing.classes
        answers = []
        for row in self.probabilities(raw):
            order = np.argsort(-row, kind="stable")
            ranked = {names[index]: float(row[index]) for index in order}
            answers.append(Prediction(names[order[0]], ranked))
        return answers
