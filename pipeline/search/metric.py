"""What a search may choose by, and what it compares while a trial lasts."""

from collections.abc import Iterable
from dataclasses import fields

import numpy as np

from pipeline.data.catalogue import SPECS
from pipeline.settings.schema import Search
from pipeline.settings.suggest import choices, did_you_mean
from pipeline.tasks import classification
from pipeline.tracking import names
from pipeline.training.history import Epoch

_SERIES = {metric: name for name, metric in names.EPOCH_METRICS.items() if metric in names.CURVES}
_COSTS = (names.SECONDS, names.PARAMETERS)  # less is better, as of a loss


def compared(search: Search) -> str:
    """The series, logged every epoch, by which a trial is compared with earlier ones.

    The metric itself if it is one; else the validation accuracy, or the validation loss where less
    is better.
    """
    if search.metric in _SERIES:
        return search.metric
    return names.ACCURACY_VALIDATION if search.direction == "maximize" else names.LOSS_VALIDATION


def value_of(epoch: Epoch, series: str) -> float:
    """What an epoch gave of a series.

    >>> value_of(Epoch(1, 0.9, 0.8, 0.5, 0.6, 0.001, 2.0), "accuracy/validation")
    0.6
    """
    return float(getattr(epoch, _SERIES[series]))


def unknown_metric(metric: str, datasets: Iterable[str]) -> list[str]:
    """A sentence if the runs on one of these data sets have no such metric."""
    for name in datasets:
        classes = SPECS[name].classes
        known = _metrics(classes or ("a", "b"))
        of_class = metric.startswith(
            tuple(split + classification.CLASS_F1 for split in (names.VALIDATION, names.TEST))
        )
        if metric not in known and (classes or not of_class):  # which only files tell
            offered = choices([one for one in known if one.startswith(names.VALIDATION)])
            return [
                f"hydra.sweeper.metric={metric} is not a metric of runs on dataset={name}"
                f"{did_you_mean(metric, known)}; there are {offered}, and as many of test/..., "
                f"best/... and each epoch ({choices(_SERIES)})."
            ]
    return []


def doubts(search: Search) -> list[str]:
    """A sentence for each choice that is likely not meant."""
    found = []
    if search.metric.startswith(names.TEST):
        found.append(
            f"hydra.sweeper.metric={search.metric}: what is chosen by the test data cannot be "
            "judged by them."
        )
    less = "loss" in search.metric or search.metric in _COSTS
    if less and search.direction == "maximize":
        found.append(
            f"hydra.sweeper.direction=maximize looks for the largest {search.metric}; meant may be "
            "minimize."
        )
    return found


def _metrics(classes: tuple[str, ...]) -> list[str]:
    """The names are those that an evaluation gives: here of one example a class, all right."""
    labels = np.arange(len(classes))
    scores = list(classification.scores(np.eye(len(classes)), labels, classes))
    best = [field.name.replace("number", "epoch") for field in fields(Epoch)]
    return [
        *(split + score for split in (names.VALIDATION, names.TEST) for score in scores),
        *_SERIES,
        *(names.BEST + name for name in best),
        *_COSTS,
    ]
