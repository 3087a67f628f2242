"""One class per example: scores by scikit-learn on the whole test set, and the multiclass task."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from sklearn.metrics import (
    accuracy_score,
    classification_report,
    confusion_matrix,
    f1_score,
    precision_recall_fscore_support,
)

from pipeline.tasks.task import CLASS_F1, Array, Decisions, Task, plain_names

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


def _f1(
    labels: np.ndarray, predicted: np.ndarray, classes: Sequence[Any], average: str | None
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


class Multiclass(Task):
    """One of several classes per example; one probability per class, `(N, classes)`."""

    name = "multiclass"
    loss = "sparse_categorical_crossentropy"
    metric = "accuracy"
    activation = "softmax"
    row_type = ClassScores

    def blank_labels(self, outputs: int) -> Array:
        """Return one class index."""
        return np.zeros(1, np.int64)

    def are_labels(self, labels: Array, names: int) -> bool:
        """Return whether an array holds class indices."""
        return labels.ndim == 1 and labels.dtype.kind in "iu"

    def epoch_loss(self, outputs: Array, labels: Array) -> float:
        """Return the cross-entropy."""
        return cross_entropy(outputs, labels)

    def epoch_measure(self, outputs: Array, labels: Array) -> float:
        """Return the accuracy."""
        return accuracy(outputs, labels)

    def scores(self, outputs: Array, labels: Array, names: Sequence[str]) -> dict[str, float]:
        """Return loss, accuracy, and macro, weighted and per-class F1."""
        return scores(self.by_name(outputs), labels, names)

    def baseline(self, train: Array, test: Array, names: Sequence[str]) -> dict[str, float]:
        """Score the most frequent training class (the lowest index on a tie)."""
        majority = np.bincount(train).argmax()
        return predicted_scores(np.full_like(test, majority), test)

    def report(self, outputs: Array, labels: Array, names: Sequence[str]) -> str:
        """Return scikit-learn's classification report."""
        return report(self.by_name(outputs), labels, names)

    def rows(self, outputs: Array, labels: Array, names: Sequence[str]) -> list[ClassScores]:
        """Return precision, recall and F1 per class, and their means."""
        return class_scores(self.by_name(outputs), labels, names)

    def degeneration(self, outputs: Array, labels: Array, names: Sequence[str]) -> str | None:
        """Describe a model that predicts one class for at least 99 of 100 examples."""
        return degeneration(self.by_name(outputs), names)

    def compared_scores(self, outputs: Array, labels: Array) -> dict[str, float]:
        """Return macro F1."""
        probabilities = self.by_name(outputs)
        classes = range(probabilities.shape[1])
        return {"f1": float(_f1(labels, probabilities.argmax(axis=1), classes, "macro"))}

    def decisions(self, outputs: Array) -> Decisions:
        """Return the most probable class, and its lead over the second, both `(N,)`."""
        probabilities = self.by_name(outputs)
        top = np.sort(probabilities.astype(np.float64), axis=1)
        return Decisions(probabilities.argmax(axis=1), top[:, -1] - top[:, -2])

    def truth(self, label: Any, names: Sequence[str]) -> str:
        """Return the name of the class."""
        return names[int(label)]

    def prediction(self, output: Array, names: Sequence[str]) -> str:
        """Return the name of the most probable class."""
        return names[int(self.by_name(output[None])[0].argmax())]

    def worst(self, outputs: Array, labels: Array) -> Array:
        """Return the wrong predictions with the highest probability first."""
        probabilities = self.by_name(outputs)
        predicted, highest = probabilities.argmax(axis=1), probabilities.max(axis=1)
        (wrong,) = np.nonzero((predicted != labels) & np.isfinite(highest))
        return wrong[np.argsort(-highest[wrong], kind="stable")]

    def certainty(self, output: Array, label: Any) -> tuple[float, float]:
        """Return the probabilities of the predicted and of the true class."""
        probabilities = self.by_name(output[None])[0]
        return float(probabilities.max()), float(probabilities[int(label)])


def predicted_scores(predicted: Array, labels: Array) -> dict[str, float]:
    """Return macro F1 and accuracy of predicted classes `(N,)`, for classifiers without outputs.

    Macro F1 is the mean over the classes that occur.
    """
    return {
        "f1_macro": float(f1_score(labels, predicted, average="macro", zero_division=0.0)),
        "accuracy": float(accuracy_score(labels, predicted)),
    }
