"""What a model's outputs mean for one example, by task."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, TypeAlias

import numpy as np
from numpy.typing import NDArray

TASKS = ("multiclass", "binary", "multilabel", "regression")
THRESHOLD = 0.5  # a label is predicted above it

Array = NDArray[Any]


@dataclass(frozen=True)
class Prediction:
    """The predicted class of one example.

    Attributes:
        class_name: The most probable class.
        probabilities: Probability of each class by name, most probable first.
    """

    class_name: str
    probabilities: dict[str, float]

    @property
    def answer(self) -> str:
        """The prediction as text."""
        return self.class_name

    @property
    def numbers(self) -> dict[str, float]:
        """One number per name."""
        return self.probabilities

    @property
    def document(self) -> dict[str, Any]:
        """The prediction as a JSON object."""
        return {"class": self.class_name, "probabilities": self.probabilities}


@dataclass(frozen=True)
class LabelPrediction:
    """The predicted labels of one example.

    Attributes:
        labels: Names of the labels with a probability above 0.5, in label order.
        probabilities: Probability of each label by name, most probable first.
    """

    labels: tuple[str, ...]
    probabilities: dict[str, float]

    @property
    def answer(self) -> str:
        """The prediction as text."""
        return ", ".join(self.labels)

    @property
    def numbers(self) -> dict[str, float]:
        """One number per name."""
        return self.probabilities

    @property
    def document(self) -> dict[str, Any]:
        """The prediction as a JSON object."""
        return {"labels": list(self.labels), "probabilities": self.probabilities}


@dataclass(frozen=True)
class ValuePrediction:
    """The predicted values of one example.

    Attributes:
        values: Predicted value of each target by name, in the order of the targets.
    """

    values: dict[str, float]

    @property
    def answer(self) -> str:
        """The prediction as text."""
        return ", ".join(f"{value:.6g}" for value in self.values.values())

    @property
    def numbers(self) -> dict[str, float]:
        """One number per name."""
        return self.values

    @property
    def document(self) -> dict[str, Any]:
        """The prediction as a JSON object."""
        return {"values": self.values}


AnyPrediction: TypeAlias = Prediction | LabelPrediction | ValuePrediction


def output_count(task: str, names: int) -> int:
    """Return the number of outputs of a model for so many classes, labels or targets."""
    return 1 if task == "binary" else names


def by_name(task: str, outputs: Array) -> Array:
    """Return one column per class, label or target, `(N, names)`."""
    if task != "binary":
        return outputs
    return np.concatenate([1 - outputs, outputs], axis=1)


def prediction_of(task: str, row: Array, names: Sequence[str]) -> AnyPrediction:
    """Return the prediction for one row of `by_name`."""
    if task == "regression":
        return ValuePrediction(dict(zip(names, map(float, row), strict=True)))
    order = np.argsort(-row, kind="stable")
    ranked = {names[index]: float(row[index]) for index in order}
    if task == "multilabel":
        labels = tuple(n for n, p in zip(names, row, strict=True) if p > THRESHOLD)
        return LabelPrediction(labels, ranked)
    return Prediction(names[order[0]], ranked)
