"""The metric that a search optimises, and the series that it compares running trials by."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass

import numpy as np

from pipeline.data.catalogue import SPECS
from pipeline.settings.schema import Search
from pipeline.settings.suggest import choices, did_you_mean
from pipeline.tasks import classification
from pipeline.tracking import names
from pipeline.training.history import Epoch

SERIES = {metric: name for name, metric in names.EPOCH_METRICS.items() if metric in names.CURVES}
_OF_CLASSES = tuple(split + classification.CLASS_F1 for split in (names.VALIDATION, names.TEST))
_LOSSES = (names.LOSS_TRAIN, names.LOSS_VALIDATION)
_TWO_CLASSES = ("a", "b")  # stand-ins where only the files define the classes


@dataclass(frozen=True)
class Metric:
    """A metric of a run.

    Attributes:
        name: its name in MLflow.
        least: whether lower is better, as for a loss or a time.
        on_test: whether it is a score on the test data.
    """

    name: str
    least: bool = False
    on_test: bool = False


def compared(search: Search) -> str:
    """Return the per-epoch series by which a trial is compared with earlier ones.

    The metric itself if it is logged every epoch; otherwise the validation accuracy, or the
    validation loss if lower is better.
    """
    if search.metric in SERIES:
        return search.metric
    return names.ACCURACY_VALIDATION if search.direction == "maximize" else names.LOSS_VALIDATION


def value_of(epoch: Epoch, series: str) -> float:
    """Return the value of a series in an epoch.

    >>> value_of(Epoch(1, 0.9, 0.8, 0.5, 0.6, 0.001, 2.0), "accuracy/validation")
    0.6
    """
    return float(getattr(epoch, SERIES[series]))


def unknown_metric(metric: str, datasets: Iterable[str]) -> list[str]:
    """Return a sentence if runs on one of these data sets do not log the metric."""
    for name in datasets:
        classes = SPECS[name].classes
        known = {one.name: one for one in _metrics(classes or _TWO_CLASSES)}
        of_class = not classes and metric.startswith(_OF_CLASSES)
        if metric not in known and not of_class:
            offered = choices(_scores(names.VALIDATION, classes or _TWO_CLASSES))
            return [
                f"hydra.sweeper.metric={metric} is not a metric of runs on dataset={name}"
                f"{did_you_mean(metric, known)}; there are {offered}, and as many of test/..., "
                f"best/... and each epoch ({choices(names.CURVES)})."
            ]
    return []


def doubts(search: Search) -> list[str]:
    """Return one sentence per choice that is probably unintended."""
    known = {one.name: one for one in _metrics(_TWO_CLASSES)}
    chosen = known.get(search.metric, Metric(search.metric))
    found = []
    if chosen.on_test or search.metric.startswith(_OF_CLASSES[1]):
        found.append(
            f"hydra.sweeper.metric={search.metric}: what is chosen by the test data cannot be "
            "judged by them."
        )
    if chosen.least and search.direction == "maximize":
        found.append(
            f"hydra.sweeper.direction=maximize looks for the largest {search.metric}; meant may be "
            "minimize."
        )
    return found


def _metrics(classes: Sequence[str]) -> list[Metric]:
    return [
        *(Metric(name, least) for name, least in _scores(names.VALIDATION, classes).items()),
        *(Metric(name, least, True) for name, least in _scores(names.TEST, classes).items()),
        *(Metric(name, name in _LOSSES) for name in SERIES),
        *(
            Metric(names.BEST + field, metric in _LOSSES)
            for field, metric in names.EPOCH_METRICS.items()
        ),
        Metric(names.BEST_EPOCH),
        *(Metric(name, least=True) for name in (names.SECONDS, names.PARAMETERS)),
    ]


def _scores(split: str, classes: Sequence[str]) -> dict[str, bool]:
    """Return the score names of an evaluation; the value is True for losses."""
    labels = np.arange(len(classes))
    scores = classification.scores(np.eye(len(classes)), labels, classes)
    return {split + score: score == "loss" for score in scores}
