"""Weights of the classes in the training loss."""

from collections.abc import Mapping, Sequence
from typing import Literal

import numpy as np


def class_weights(
    weights: Literal["balanced"] | Mapping[str, float] | None,
    labels: np.ndarray,
    classes: Sequence[str],
) -> dict[int, float] | None:
    """Return the weight of each class by its index; None if all weights are 1.

    Args:
        weights: `balanced` gives every class of the training data the same total weight, with an
            average of 1 over the examples, as in scikit-learn; a mapping gives the weight of each
            class by name, 1 for others; None.
        labels: classes of the training examples, `(N,)` integers.
        classes: C names.
    """
    if weights is None:
        return None
    if weights != "balanced":
        return {index: weights.get(name, 1.0) for index, name in enumerate(classes)}
    counts = np.bincount(labels, minlength=len(classes))
    present = np.count_nonzero(counts)
    return {
        index: float(len(labels) / (present * count)) if count else 1.0
        for index, count in enumerate(counts)
    }
