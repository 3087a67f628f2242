"""The binary task: two classes, and one output that is the probability of the second."""

from collections.abc import Sequence

import numpy as np

from pipeline.tasks.classification import LEAST_PROBABILITY, Multiclass, accuracy
from pipeline.tasks.task import Array

LEAST_REMAINDER = 2.0**-24  # of 1 - p in float32, whose largest p below 1 is 1 - 2^-24


class Binary(Multiclass):
    """Two classes; one probability per example, `(N, 1)`, that of the second class.

    The second class is predicted above 0.5. All scores are those of two classes with the
    probabilities `1 - p` and `p`.
    """

    name = "binary"
    loss = "binary_crossentropy"
    metric = "binary_accuracy"
    activation = "sigmoid"

    def outputs(self, names: int) -> int:
        """One output for two classes."""
        return 1

    def by_name(self, outputs: Array) -> Array:
        """Return the probabilities of both classes, `(N, 2)`."""
        second = outputs.reshape(len(outputs), -1)[:, 0]
        return np.stack([1 - second, second], axis=1)

    def epoch_loss(self, outputs: Array, labels: Array) -> float:
        """Return the cross-entropy; `1 - p` counts as at least 2^-24, which float32 cannot tell."""
        return binary_cross_entropy(outputs.reshape(len(outputs)), labels)

    def epoch_measure(self, outputs: Array, labels: Array) -> float:
        """Return the accuracy."""
        return accuracy(self.by_name(outputs), labels)

    def scores(self, outputs: Array, labels: Array, names: Sequence[str]) -> dict[str, float]:
        """Return loss, accuracy, and macro, weighted and per-class F1."""
        return super().scores(outputs, labels, names) | {"loss": self.epoch_loss(outputs, labels)}


def binary_cross_entropy(probabilities: Array, labels: Array) -> float:
    """Return the mean of `-ln p` where the label is 1, and of `-ln(1 - p)` where it is 0.

    Args:
        probabilities: of the label 1, float32 of any shape.
        labels: 0 and 1, of the same shape.
    """
    exact = probabilities.astype(np.float64)
    right = np.where(
        labels > 0,
        np.clip(exact, LEAST_PROBABILITY, 1),
        np.clip(1 - exact, LEAST_REMAINDER, 1),
    )
    return float(-np.log(right).mean())
