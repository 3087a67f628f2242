"""What a task is: the meaning of a model's outputs, from the loss to the report."""

from __future__ import annotations

import re
from abc import ABC, abstractmethod
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, ClassVar

import numpy as np

from pipeline.settings.scores import MEASURES, SCORES, TASK_SCORES, Score

Array = np.ndarray[Any, Any]

CLASS_F1 = "f1/"  # prefix of the score of one class or label


def plain_names(names: Sequence[str]) -> list[str]:
    """Return names that are valid in a metric's name and still unique."""
    found: list[str] = []
    for number, name in enumerate(names):
        plain = re.sub(r"[^\w .:-]", "_", name).strip(".") or "_"
        found.append(plain if plain not in found else f"{plain}_{number}")
    return found


@dataclass(frozen=True)
class Decisions:
    """The decisions taken from outputs, and by how much each one is taken.

    Attributes:
        taken: the decisions, `(N,)` or `(N, K)`.
        leads: how far each output is ahead of another decision, in probability, float64.
    """

    taken: Array
    leads: Array


class Task(ABC):
    """The meaning of labels and outputs.

    The methods take the outputs of a model, float32 `(N, outputs)`, labels `(N,)` or `(N, K)` and
    the names of the classes, labels or targets.

    Attributes:
        name: value of `task=`.
        loss: Keras's name of the loss.
        metric: Keras's name of the metric that is computed after each epoch.
        activation: activation of a built-in model's output layer.
        compared: the scores that parity compares in six decimals, by title.
        baseline_title: what the baseline always predicts.
        baseline_kind: the same as one word, for the names of metrics.
        value: what an output is called in a sentence.
        values: the same in the plural.
        tiles: the two scores that a run's page begins with.
        unit: what a name stands for: a class, label or target.
        columns: title of each number of a row of `rows`, by field.
        decided: what a decision is called in a sentence.
        decided_several: the same in the plural.
        degenerate: what a degenerate model predicts, in two or three words.
        mistakes: heading of the worst predictions.
        stored_as: name of the outputs among the stored predictions.
        row_type: data class of one row of `rows`.
    """

    name: ClassVar[str]
    loss: ClassVar[str]
    metric: ClassVar[str]
    activation: ClassVar[str]
    compared: ClassVar[Mapping[str, str]] = {"f1": "F1"}
    baseline_title: ClassVar[str] = "majority class"
    baseline_kind: ClassVar[str] = "majority"
    value: ClassVar[str] = "probability"
    values: ClassVar[str] = "probabilities"
    tiles: ClassVar[tuple[str, str]] = ("f1_macro", "accuracy")
    unit: ClassVar[str] = "class"
    columns: ClassVar[Mapping[str, str]] = {
        "precision": "precision",
        "recall": "recall",
        "f1": "F1",
    }
    decided: ClassVar[str] = "class"
    decided_several: ClassVar[str] = "classes"
    degenerate: ClassVar[str] = "nearly one class"
    mistakes: ClassVar[str] = "Most confident mistakes"
    stored_as: ClassVar[str] = "probabilities"
    row_type: ClassVar[type[Any]]

    @property
    def score_names(self) -> tuple[str, ...]:
        """The names of the scores that select runs; the primary one first."""
        return TASK_SCORES[self.name]

    @property
    def measure(self) -> str:
        """The score that equals `metric`, which also names it in MLflow."""
        return MEASURES[self.name]

    @property
    def primary(self) -> str:
        """The score that is shown, and selects the best run by default."""
        return self.score_names[0]

    @property
    def primary_score(self) -> Score:
        """Title and direction of the primary score."""
        return SCORES[self.primary]

    def outputs(self, names: int) -> int:
        """Return the number of outputs of a model for so many classes, labels or targets."""
        return names

    def blank_labels(self, outputs: int) -> Array:
        """Return the labels of one example, of the shape and kind that the loss takes."""
        return np.zeros((1, outputs), np.float32)

    def are_labels(self, labels: Array, names: int) -> bool:
        """Return whether an array has the shape and the kind of labels for so many names."""
        columns = labels.shape[1] if labels.ndim == 2 else 1
        return labels.dtype.kind in "fiu" and labels.ndim in (1, 2) and columns == names

    def by_name(self, outputs: Array) -> Array:
        """Return one column per name, `(N, names)`: probabilities, or predicted values."""
        return outputs

    @abstractmethod
    def epoch_loss(self, outputs: Array, labels: Array) -> float:
        """Return the loss as Keras computes it, without penalties of weights."""

    @abstractmethod
    def epoch_measure(self, outputs: Array, labels: Array) -> float:
        """Return `measure`, as Keras's `metric` computes it."""

    @abstractmethod
    def scores(self, outputs: Array, labels: Array, names: Sequence[str]) -> dict[str, float]:
        """Return every score, by a name that MLflow accepts: `score_names`, then one per name."""

    def name_scores(self, names: Sequence[str]) -> dict[str, str]:
        """Return the scores of single classes, labels or targets, by title."""
        each = zip(names, plain_names(names), strict=True)
        return {f"F1 of {name}": CLASS_F1 + plain for name, plain in each}

    @abstractmethod
    def baseline(self, train: Array, test: Array, names: Sequence[str]) -> dict[str, float]:
        """Return the scores on `test` of predicting the same for every example.

        Args:
            train: labels that the prediction is taken from.
            test: labels that it is scored on.
            names: the names of classes, labels or targets.
        """

    @abstractmethod
    def report(self, outputs: Array, labels: Array, names: Sequence[str]) -> str:
        """Return the scores per name as a text table."""

    @abstractmethod
    def rows(self, outputs: Array, labels: Array, names: Sequence[str]) -> list[Any]:
        """Return the numbers of `report`, one `row_type` per row."""

    @abstractmethod
    def degeneration(self, outputs: Array, labels: Array, names: Sequence[str]) -> str | None:
        """Describe a model whose predictions hardly depend on its input; else None."""

    @abstractmethod
    def compared_scores(self, outputs: Array, labels: Array) -> dict[str, float]:
        """Return the scores that parity compares, with the keys of `compared`."""

    @abstractmethod
    def decisions(self, outputs: Array) -> Decisions | None:
        """Return the decisions; None if the outputs are values and nothing is decided."""

    @abstractmethod
    def truth(self, label: Any, names: Sequence[str]) -> str:
        """Return an example's label in words."""

    @abstractmethod
    def prediction(self, output: Array, names: Sequence[str]) -> str:
        """Return an example's prediction in words."""

    @abstractmethod
    def worst(self, outputs: Array, labels: Array) -> Array:
        """Return the indices of wrong predictions, the most serious first."""

    @abstractmethod
    def certainty(self, output: Array, label: Any) -> tuple[float, float] | None:
        """Return the probabilities of the predicted and the true class; None without classes."""
