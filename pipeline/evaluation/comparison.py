"""Compares several runs on the same data, example by example."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from pipeline.evaluation.evaluate_run import Evaluation
from pipeline.reports.study.statistics import Interval, paired_bootstrap
from pipeline.tracking.ranking import criterion


@dataclass(frozen=True)
class RunComparison:
    """A run compared with the best one on the same examples."""

    other: Evaluation  # the run that is compared
    difference: float  # its primary score minus that of the best run
    # 95 % interval of the difference over samples of examples; None if too few
    interval: Interval | None


def best_first(evaluations: Sequence[Evaluation]) -> list[Evaluation]:
    """Sort by the primary score; NaN is last."""
    return criterion(evaluations[0].task.primary).best_first(evaluations, _primary)


def comparable(evaluations: Sequence[Evaluation]) -> bool:
    """Return whether all evaluations score the same labels with the same task."""
    first, *others = evaluations
    return all(
        one.task.name == first.task.name
        and one.classes == first.classes
        and np.array_equal(one.data.split.labels, first.data.split.labels)
        for one in others
    )


def compare_runs(evaluations: Sequence[Evaluation]) -> list[RunComparison]:
    """Compare each run with the first by the primary score, on the same samples of examples."""
    first, *others = evaluations
    return [
        RunComparison(one, _primary(one) - _primary(first), _interval(one, first)) for one in others
    ]


def _primary(evaluation: Evaluation) -> float:
    return evaluation.scores[evaluation.task.primary]


def _interval(one: Evaluation, other: Evaluation) -> Interval | None:
    def score(evaluation: Evaluation, rows: np.ndarray) -> float:
        task, labels = evaluation.task, evaluation.data.split.labels
        # The first of the compared scores is the primary one.
        return next(iter(task.compared_scores(evaluation.outputs[rows], labels[rows]).values()))

    examples = len(one.data.split)
    return paired_bootstrap(lambda rows: score(one, rows) - score(other, rows), examples)
