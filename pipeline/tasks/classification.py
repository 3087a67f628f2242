"""Scores of predictions against labels (scikit-learn, on the whole test set)."""

import re
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from sklearn.metrics import (
    classification_report,
    confusion_matrix,
    f1_score,
    precision_recall_fscore_support,
)

CLASS_F1 = "f1/"  # prefix of a per-class score
LEAST_PROBABILITY = np.finfo(np.float32).tiny  # limits the loss of a certain mistake to 87
NEARLY_ALL = 0.99  # fraction of the examples from which on one class counts as the only one


def scores(
    probabilities: np.ndarray, labels: np.ndarray, classes: Sequence[str]
) -> dict[str, float]:
    """Return loss, accuracy, and macro, weighted and per-class F1.

    Args:
        probabilities: `(N, C)` float.
        labels: `(N,)` integers below C.
        classes: C names.

    Returns:
        `loss`, `accuracy`, `f1_macro`, `f1_weighted`, and `f1/<class>` for each class, with names
        that MLflow accepts.
    """
    predicted = probabilities.argmax(axis=1)
    each = zip(plain_names(classes), _f1(labels, predicted, classes, None), strict=True)
    return {
        "loss": cross_entropy(probabilities, labels),
        "accuracy": accuracy(probabilities, labels),
        "f1_macro": float(_f1(labels, predicted, classes, "macro")),
        "f1_weighted": float(_f1(labels, predicted, classes, "weighted")),
        **{CLASS_F1 + name: float(f1) for name, f1 in each},
    }


def cross_entropy(probabilities: np.ndarray, labels: np.ndarray) -> float:
    """Return the mean of `-ln p`, where p is the probability, of `(N, C)`, of the label `(N,)`.

    Equal to `model.evaluate` for a model that ends in softmax: Keras then computes the loss from
    the logits, so its clipping of probabilities at 1e-7 does not apply.
    """
    of_label = probabilities[np.arange(len(labels)), labels].astype(np.float64)
    return float(-np.log(np.clip(of_label, LEAST_PROBABILITY, 1)).mean())


def accuracy(probabilities: np.ndarray, labels: np.ndarray) -> float:
    """Return the fraction of examples whose most probable class (of C) is the label `(N,)`."""
    return float((probabilities.argmax(axis=1) == labels).mean())


def plain_names(classes: Sequence[str]) -> list[str]:
    """Return class names that are valid in a metric's name and still unique."""
    names: list[str] = []
    for number, name in enumerate(classes):
        plain = re.sub(r"[^\w .:-]", "_", name).strip(".") or "_"
        names.append(plain if plain not in names else f"{plain}_{number}")
    return names


def _f1(
    labels: np.ndarray, predicted: np.ndarray, classes: Sequence[str], average: str | None
) -> np.ndarray:
    return f1_score(
        labels, predicted, labels=range(len(classes)), average=average, zero_division=0.0
    )


def report(probabilities: np.ndarray, labels: np.ndarray, classes: Sequence[str]) -> str:
    """Return precision, recall, F1 and support per class as a text table with four decimals."""
    return classification_report(
        labels,
        probabilities.argmax(axis=1),
        labels=range(len(classes)),
        target_names=classes,
        digits=4,
        zero_division=0.0,
    )


@dataclass(frozen=True)
class ClassScores:
    """Precision, recall and F1 of a class, or their mean over classes.

    Attributes:
        name: name of the class or of the mean.
        precision: fraction of correct predictions among those of this class.
        recall: fraction of correct predictions among the examples of this class.
        f1: harmonic mean of both.
        support: number of examples.
    """

    name: str
    precision: float
    recall: float
    f1: float
    support: int


def class_scores(
    probabilities: np.ndarray, labels: np.ndarray, classes: Sequence[str]
) -> list[ClassScores]:
    """Return the numbers of `report`: per class, then the macro and the weighted mean.

    Args:
        probabilities: `(N, C)` float.
        labels: `(N,)` integers below C.
        classes: C names.
    """
    *scores, support = precision_recall_fscore_support(
        labels, probabilities.argmax(axis=1), labels=range(len(classes)), zero_division=0.0
    )
    macro = [np.average(score) for score in scores]
    weighted = [np.average(score, weights=support) for score in scores]
    rows = [*zip(*scores, strict=True), macro, weighted]
    counts = [*support, len(labels), len(labels)]
    return [
        ClassScores(name, float(precision), float(recall), float(f1), int(count))
        for name, (precision, recall, f1), count in zip(
            [*classes, "macro average", "weighted average"], rows, counts, strict=True
        )
    ]


def confusion(probabilities: np.ndarray, labels: np.ndarray) -> np.ndarray:
    """Return counts `(C, C)`: rows are true classes, columns predicted ones."""
    return confusion_counts(labels, probabilities.argmax(axis=1), probabilities.shape[1])


def confusion_counts(labels: np.ndarray, predicted: np.ndarray, classes: int) -> np.ndarray:
    """Return counts `(classes, classes)`: rows are true classes, columns predicted ones."""
    return confusion_matrix(labels, predicted, labels=range(classes))


def degeneration(probabilities: np.ndarray, classes: Sequence[str]) -> str | None:
    """Describe a model that predicts one class for at least 99 of 100 examples; else None."""
    counts = np.bincount(probabilities.argmax(axis=1), minlength=len(classes))
    most, total = int(counts.max()), len(probabilities)
    if most < NEARLY_ALL * total:
        return None
    name = classes[int(counts.argmax())]
    return f"predicts only {name}" if most == total else f"predicts {name} for {most} of {total}"
