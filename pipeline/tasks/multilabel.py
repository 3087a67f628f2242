"""The multilabel task: any number of labels per example, each with its own probability."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from sklearn.metrics import classification_report, f1_score, precision_recall_fscore_support

from pipeline.tasks.binary import binary_cross_entropy
from pipeline.tasks.classification import NEARLY_ALL, ClassScores
from pipeline.tasks.task import CLASS_F1, Array, Decisions, Task, plain_names

THRESHOLD = 0.5  # a label is predicted above it, as Keras's binary accuracy does
NONE = "no label"


@dataclass(frozen=True)
class LabelCounts:
    """The test examples of one label by truth and decision.

    Attributes:
        name: name of the label.
        right: examples that have the label and are predicted to.
        missed: examples that have the label and are not predicted to.
        wrong: examples that are predicted to have the label and do not.
        absent: all other examples.
    """

    name: str
    right: int
    missed: int
    wrong: int
    absent: int


class Multilabel(Task):
    """K labels per example, each present or not; one probability per label, `(N, K)`."""

    name = "multilabel"
    loss = "binary_crossentropy"
    metric = "binary_accuracy"
    activation = "sigmoid"
    baseline_title = "majority of each label"
    tiles = ("f1_macro", "f1_micro")
    unit = "label"
    degenerate = "nearly the same labels"
    decided = decided_several = "labels"
    row_type = ClassScores

    def epoch_loss(self, outputs: Array, labels: Array) -> float:
        """Return the binary cross-entropy, a mean over examples and labels."""
        return binary_cross_entropy(outputs, labels)

    def epoch_measure(self, outputs: Array, labels: Array) -> float:
        """Return the fraction of all decisions that are right."""
        return float(((outputs > THRESHOLD) == (labels > 0)).mean())

    def scores(self, outputs: Array, labels: Array, names: Sequence[str]) -> dict[str, float]:
        """Return loss, accuracies, macro, micro and per-label F1; see `docs/tasks.md`."""
        predicted, true = outputs > THRESHOLD, labels > 0
        each = zip(plain_names(names), _f1(true, predicted, None), strict=True)
        return {
            "loss": self.epoch_loss(outputs, labels),
            **_decided_scores(predicted, true),
            **{CLASS_F1 + name: float(f1) for name, f1 in each},
        }

    def baseline(self, train: Array, test: Array, names: Sequence[str]) -> dict[str, float]:
        """Score predicting each label that most training examples have."""
        majority = train.mean(axis=0) > THRESHOLD
        return _decided_scores(np.tile(majority, (len(test), 1)), test > 0)

    def report(self, outputs: Array, labels: Array, names: Sequence[str]) -> str:
        """Return scikit-learn's classification report."""
        return classification_report(
            labels > 0,
            outputs > THRESHOLD,
            target_names=list(names),
            digits=4,
            zero_division=0.0,
        )

    def rows(self, outputs: Array, labels: Array, names: Sequence[str]) -> list[ClassScores]:
        """Return precision, recall and F1 per label, and their micro and macro mean."""
        predicted, true = outputs > THRESHOLD, labels > 0
        each = zip(names, *_precision_recall_f1(true, predicted, None), strict=True)
        rows = [
            ClassScores(name, float(precision), float(recall), float(f1), int(support))
            for name, precision, recall, f1, support in each
        ]
        for average in ("micro", "macro"):
            precision, recall, f1, _ = _precision_recall_f1(true, predicted, average)
            scores = float(precision), float(recall), float(f1)
            rows.append(ClassScores(f"{average} average", *scores, support=int(true.sum())))
        return rows

    def degeneration(self, outputs: Array, labels: Array, names: Sequence[str]) -> str | None:
        """Describe a model that predicts the same labels for at least 99 of 100 examples."""
        decided, counts = np.unique(outputs > THRESHOLD, axis=0, return_counts=True)
        most, total = int(counts.max()), len(outputs)
        if most < NEARLY_ALL * total:
            return None
        told = _listed(decided[counts.argmax()], names)
        return (
            f"predicts only {told}" if most == total else f"predicts {told} for {most} of {total}"
        )

    def compared_scores(self, outputs: Array, labels: Array) -> dict[str, float]:
        """Return macro F1."""
        return {"f1": float(_f1(labels > 0, outputs > THRESHOLD, "macro"))}

    def decisions(self, outputs: Array) -> Decisions:
        """Return whether each label is predicted, and `|2p - 1|`, both `(N, K)`."""
        exact = outputs.astype(np.float64)
        return Decisions(outputs > THRESHOLD, np.abs(2 * exact - 1))

    def truth(self, label: Any, names: Sequence[str]) -> str:
        """Return the names of the labels."""
        return _listed(label > 0, names)

    def prediction(self, output: Array, names: Sequence[str]) -> str:
        """Return the names of the predicted labels."""
        return _listed(output > THRESHOLD, names)

    def worst(self, outputs: Array, labels: Array) -> Array:
        """Return the examples with the most certain wrong decision first."""
        wrong = np.not_equal(outputs > THRESHOLD, labels > 0)
        certain = np.where(wrong, np.abs(outputs - THRESHOLD), 0).max(axis=1)
        (indices,) = np.nonzero(np.any(wrong, axis=1) & np.isfinite(certain))
        return indices[np.argsort(-certain[indices], kind="stable")]

    def certainty(self, output: Array, label: Any) -> None:
        """None: each label has a probability of its own."""


def label_counts(outputs: Array, labels: Array, names: Sequence[str]) -> list[LabelCounts]:
    """Count right and wrong decisions per label."""
    predicted, true = outputs > THRESHOLD, labels > 0
    counted = (true & predicted, true & ~predicted, ~true & predicted, ~true & ~predicted)
    columns = zip(names, *(one.sum(axis=0) for one in counted), strict=True)
    return [LabelCounts(name, *map(int, counts)) for name, *counts in columns]


def _decided_scores(predicted: Array, true: Array) -> dict[str, float]:
    return {
        "f1_macro": float(_f1(true, predicted, "macro")),
        "f1_micro": float(_f1(true, predicted, "micro")),
        "accuracy": float((predicted == true).mean()),
        "subset_accuracy": float((predicted == true).all(axis=1).mean()),
    }


def _f1(true: Array, predicted: Array, average: str | None) -> Array:
    return f1_score(true, predicted, average=average, zero_division=0.0)


def _precision_recall_f1(true: Array, predicted: Array, average: str | None) -> tuple[Array, ...]:
    return precision_recall_fscore_support(true, predicted, average=average, zero_division=0.0)


def _listed(has: Array, names: Sequence[str]) -> str:
    return ", ".join(name for name, one in zip(names, has, strict=True) if one) or NONE
