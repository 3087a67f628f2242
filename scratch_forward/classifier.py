"""From raw input to class names, labels or values: a model with the preprocessing of its input.

Load a classifier and use it:

    classifier = scratch_forward.Classifier.load("weights")
    classifier(["makanannya enak sekali"])[0].class_name
"""

from __future__ import annotations

import json
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from scratch_forward.card import verify_card
from scratch_forward.errors import ArchiveError, PreprocessingError
from scratch_forward.io.limits import Limits
from scratch_forward.io.loading import load
from scratch_forward.models.functional import Model
from scratch_forward.models.sequential import Sequential
from scratch_forward.predictions import TASKS, AnyPrediction, by_name, output_count, prediction_of
from scratch_forward.preprocessing import Preprocessing, from_json
from scratch_forward.preprocessing.stored_fields import document_of

MODEL_FILE = "model.keras"
PREPROCESSING_FILE = "preprocessing.json"


@dataclass(frozen=True, eq=False)
class Classifier:
    """A model that takes raw input, such as texts or images, and returns predictions in words.

    Attributes:
        model: Computes outputs `(N, outputs)`.
        preprocessing: Converts raw input to the model's input and contains the names of the
            classes, labels or targets.
        preprocessing_proven: Whether a parity card that covers the preprocessing was replayed.
        task: The meaning of the outputs: `multiclass`, `binary`, `multilabel` or `regression`.
    """

    model: Model | Sequential
    preprocessing: Preprocessing
    preprocessing_proven: bool = False
    task: str = "multiclass"

    @classmethod
    def load(cls, folder: str | Path, verify: bool = False) -> Classifier:
        """Load `model.keras` and `preprocessing.json` from a folder.

        Args:
            folder: The folder with both files.
            verify: Whether to replay the parity card in the folder before the model is used.

        Returns:
            The classifier.

        Raises:
            ArchiveError: If a file is missing or malformed, if the two files do not match, or if
                the model or its preprocessing does not match the card.
            UnsupportedModelError: If the model uses unsupported features.
        """
        described, model_path = Path(folder) / PREPROCESSING_FILE, Path(folder) / MODEL_FILE
        preprocessing, task = _read_preprocessing(described)
        model = load(model_path)
        if _outputs(model) not in (None, output_count(task, len(preprocessing.classes))):
            raise ArchiveError(
                f"{described} names {len(preprocessing.classes)} classes, but the model beside it "
                f"has {_outputs(model)} outputs."
            )
        if not verify:
            return cls(model, preprocessing, task=task)
        covered = verify_card(
            model_path, model, lambda: load(model_path, "float64"), preprocessing, task
        )
        return cls(model, preprocessing, covered, task)

    def probabilities(self, raw: Any) -> NDArray[np.float32]:
        """Compute the probabilities of all classes or labels; for a regression, the values.

        Args:
            raw: N texts; images as uint8 of shape `(N, height, width, channels)`; rows of a table
                or arrays as in the training data, not standardized; or a dict of these by the name
                of each of several inputs.

        Returns:
            One column per class, label or target, float32 of shape `(N, names)`.

        Raises:
            PreprocessingError: If the input does not have the kind or shape that the model needs.
        """
        return by_name(self.task, self.model.predict(self.preprocessing.encode(raw)))

    def __call__(self, raw: Any) -> list[AnyPrediction]:
        """Return a prediction for each of N raw examples. See `probabilities`."""
        names = self.preprocessing.classes
        return [prediction_of(self.task, row, names) for row in self.probabilities(raw)]


def described_input(preprocessing: Preprocessing, task: str) -> str:
    """Return the text of `preprocessing.json`, with the task unless it is multiclass."""
    if task == TASKS[0]:
        return preprocessing.to_json()
    document = {**document_of(preprocessing.to_json()), "task": task}
    return json.dumps(document, ensure_ascii=False, indent=1) + "\n"


def _read_preprocessing(path: Path) -> tuple[Preprocessing, str]:
    most = Limits().asset_bytes
    try:
        if path.stat().st_size > most:
            raise ArchiveError(f"{path} has {path.stat().st_size:,} bytes; the limit is {most:,}.")
        text = path.read_text(encoding="utf-8")
        task = document_of(text).get("task", TASKS[0])
        if task not in TASKS:
            raise ArchiveError(f"{path} cannot be used: task={task!r} is unknown.")
        return from_json(text), task
    except (OSError, UnicodeDecodeError, PreprocessingError) as error:
        raise ArchiveError(f"{path} cannot be used: {error}") from error


def _outputs(model: Model | Sequential) -> int | None:
    """Return the number of classes that a model predicts, or None if it is unknown."""
    shape = model.output_shape
    return shape[-1] if isinstance(shape, tuple) and len(shape) == 2 else None
