"""How closely two sets of outputs agree: `exact`, `close` or `diverged` by the bars alone.

`check.py` confirms `close` by a float64 run, and decides the tag, which can also be `failed`.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Literal

import numpy as np

from pipeline.tasks import Task
from pipeline.tasks.task import Decisions

BAR = 1e-6  # largest absolute difference of an output that passes
ROUNDED_ZERO = 5e-7  # a difference of scores below this is 0.000000 in six decimals
TIE = 2e-5  # a lead that float32 rounding can reverse: twice Keras's error in 215 of 222 models

Verdict = Literal["exact", "close", "diverged"]


@dataclass(frozen=True)
class Pair:
    """A score by the reference and by the independent forward pass."""

    keras: float
    scratch: float

    @property
    def delta(self) -> float:
        """Their absolute difference."""
        return abs(self.keras - self.scratch)


@dataclass(frozen=True)
class Agreement:
    """Parity of two sets of outputs on the same labels.

    Attributes:
        scores: the scores that the task compares.
        agreement: fraction of examples for which both decide the same; None for a regression.
        max_abs_diff: largest difference between two outputs.
        mean_abs_diff: mean difference between two outputs.
        min_margin: smallest lead, over all examples, of a decision of the reference; for classes,
            of the most probable over the second. None for a regression.
        certified_fraction: fraction of examples whose leads exceed twice their own largest
            difference, so that rounding of that size could not change a decision. None for a
            regression.
        verdict: `exact` if every decision agrees, the scores are equal in six decimals and no
            output differs by more than 1e-6; `close` if some output differs by more, and decisions
            differ only where the reference's leads are zero up to rounding; `diverged` otherwise.
            The bars of a regression are relative to the largest output, if that is above 1.
    """

    scores: Mapping[str, Pair]
    agreement: float | None
    max_abs_diff: float
    mean_abs_diff: float
    min_margin: float | None
    certified_fraction: float | None
    verdict: Verdict

    @property
    def numbers(self) -> dict[str, float]:
        """All numbers by name: `f1_keras`, `f1_scratch`, `f1_delta`, `max_abs_diff` and so on."""
        found: dict[str, float | None] = {}
        for name, pair in self.scores.items():
            found |= {f"{name}_keras": pair.keras, f"{name}_scratch": pair.scratch}
            found[f"{name}_delta"] = pair.delta
        found |= {"agreement": self.agreement}
        found |= {"max_abs_diff": self.max_abs_diff, "mean_abs_diff": self.mean_abs_diff}
        found |= {"min_margin": self.min_margin, "certified_fraction": self.certified_fraction}
        return {name: value for name, value in found.items() if value is not None}


def compare(task: Task, keras: np.ndarray, scratch: np.ndarray, labels: np.ndarray) -> Agreement:
    """Compare two sets of outputs.

    Args:
        keras: reference outputs `(N, outputs)`.
        scratch: outputs of the forward pass `(N, outputs)`; NaN or infinity in either diverges.
        labels: true labels, `(N,)` or `(N, K)`.

    Raises:
        ValueError: when the shapes differ.
    """
    if keras.shape != scratch.shape:
        raise ValueError(f"predictions of shape {scratch.shape} cannot match {keras.shape}.")
    theirs, ours = (task.compared_scores(outputs, labels) for outputs in (keras, scratch))
    scores = {name: Pair(theirs[name], ours[name]) for name in theirs}
    difference = np.abs(keras.astype(np.float64) - scratch.astype(np.float64))
    decided, again = task.decisions(keras), task.decisions(scratch)
    if decided is None or again is None:
        return _of_values(scores, difference, np.abs(keras).max())
    return _of_decisions(scores, difference, decided, again)


def _of_decisions(
    scores: Mapping[str, Pair], difference: np.ndarray, decided: Decisions, again: Decisions
) -> Agreement:
    same = decided.taken == again.taken
    worst = difference if decided.leads.ndim > 1 else difference.max(axis=1)
    certain = decided.leads > 2 * worst
    largest = float(difference.max())
    return Agreement(
        scores=scores,
        agreement=float(_of_examples(same).mean()),
        max_abs_diff=largest,
        mean_abs_diff=float(difference.mean()),
        min_margin=float(decided.leads.min()),
        certified_fraction=float(_of_examples(certain).mean()),
        verdict=_verdict(same, decided.leads, scores, largest),
    )


def _of_examples(holds: np.ndarray) -> np.ndarray:
    """Return whether something holds for all decisions of an example, `(N,)`."""
    return np.all(holds.reshape(len(holds), -1), axis=1)


def _verdict(
    same: np.ndarray, leads: np.ndarray, scores: Mapping[str, Pair], max_abs_diff: float
) -> Verdict:
    if not np.isfinite(max_abs_diff) or not (same | (leads <= TIE)).all():
        return "diverged"
    equal = same.all() and all(pair.delta < ROUNDED_ZERO for pair in scores.values())
    return "exact" if equal and max_abs_diff <= BAR else "close"


def _of_values(
    scores: Mapping[str, Pair], difference: np.ndarray, largest_output: float
) -> Agreement:
    largest, scale = float(difference.max()), max(1.0, float(largest_output))
    within = largest <= BAR * scale and scores["r2"].delta < ROUNDED_ZERO
    exact = within and scores["mae"].delta < ROUNDED_ZERO * scale
    return Agreement(
        scores=scores,
        agreement=None,
        max_abs_diff=largest,
        mean_abs_diff=float(difference.mean()),
        min_margin=None,
        certified_fraction=None,
        verdict="diverged" if not np.isfinite(largest) else "exact" if exact else "close",
    )
