"""How closely two sets of predictions agree, and whether rounding explains the difference."""

from dataclasses import dataclass
from typing import Literal

import numpy as np
from sklearn.metrics import f1_score

BAR = 1e-6  # largest absolute difference of a probability that passes
ROUNDED_ZERO = 5e-7  # an F1 difference below this is 0.000000 in six decimals
TIE = 2e-5  # a lead that float32 rounding can reverse: twice Keras's error in 215 of 222 models

Verdict = Literal["exact", "close", "diverged"]


@dataclass(frozen=True)
class Agreement:
    """Parity of two predictions on the same labels.

    Attributes:
        f1_keras: macro F1 of the reference.
        f1_scratch: macro F1 of the independent forward pass.
        f1_delta: their absolute difference.
        agreement: fraction of examples for which both predict the same class.
        max_abs_diff: largest difference between two probabilities.
        mean_abs_diff: mean difference between two probabilities.
        min_margin: smallest lead, over all examples, of the reference's most probable class over
            its second.
        certified_fraction: fraction of examples whose lead exceeds twice their own largest
            difference, so that rounding of that size could not change the class.
        verdict: `exact` if every class agrees, F1 is equal in six decimals and no probability
            differs by more than 1e-6; `close` if some probability differs by more, and classes
            differ only where the reference's top two are equal up to rounding; `diverged`
            otherwise.
    """

    f1_keras: float
    f1_scratch: float
    f1_delta: float
    agreement: float
    max_abs_diff: float
    mean_abs_diff: float
    min_margin: float
    certified_fraction: float
    verdict: Verdict


def compare(keras: np.ndarray, scratch: np.ndarray, labels: np.ndarray) -> Agreement:
    """Compare two predictions.

    Args:
        keras: reference probabilities `(N, C)`.
        scratch: probabilities of the forward pass `(N, C)`; NaN counts as diverged.
        labels: true classes `(N,)`.

    Raises:
        ValueError: when the shapes differ.
    """
    if keras.shape != scratch.shape:
        raise ValueError(f"predictions of shape {scratch.shape} cannot match {keras.shape}.")
    difference = np.abs(keras.astype(np.float64) - scratch.astype(np.float64))
    f1_keras, f1_scratch = _macro_f1(keras, labels), _macro_f1(scratch, labels)
    same = keras.argmax(axis=1) == scratch.argmax(axis=1)
    margins = _margins(keras)
    worst = difference.max(axis=1)
    delta = abs(f1_keras - f1_scratch)
    return Agreement(
        f1_keras=f1_keras,
        f1_scratch=f1_scratch,
        f1_delta=delta,
        agreement=float(same.mean()),
        max_abs_diff=float(difference.max()),
        mean_abs_diff=float(difference.mean()),
        min_margin=float(margins.min()),
        certified_fraction=float((margins > 2 * worst).mean()),
        verdict=_verdict(same, margins, delta, float(difference.max())),
    )


def _verdict(
    same: np.ndarray, margins: np.ndarray, f1_delta: float, max_abs_diff: float
) -> Verdict:
    if np.isnan(max_abs_diff) or not (same | (margins <= TIE)).all():
        return "diverged"
    equal = same.all() and f1_delta < ROUNDED_ZERO
    return "exact" if equal and max_abs_diff <= BAR else "close"


def _margins(probabilities: np.ndarray) -> np.ndarray:
    """Return the lead of the most probable class over the second, `(N,)` float64."""
    top = np.sort(probabilities.astype(np.float64), axis=1)
    return top[:, -1] - top[:, -2]


def _macro_f1(probabilities: np.ndarray, labels: np.ndarray) -> float:
    classes = range(probabilities.shape[1])
    predicted = probabilities.argmax(axis=1)
    return float(f1_score(labels, predicted, labels=classes, average="macro", zero_division=0.0))
