"""The metric that a search optimises, and the series that it compares running trials by."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from pipeline.data.catalogue import spec_of
from pipeline.data.label_task import AUTO, TASKS
from pipeline.errors import choices, did_you_mean
from pipeline.settings.schema import Search
from pipeline.settings.scores import SCORES
from pipeline.tasks import Task, task_named
from pipeline.tracking import names
from pipeline.training.history import Epoch

_LOSSES = (names.LOSS_TRAIN, names.LOSS_VALIDATION, names.MAE_TRAIN, names.MAE_VALIDATION)
_BY_NAME = ("f1/", "r2/", "mae/")  # prefixes of the scores of single classes, labels and targets
_NAMELESS = ("a", "b")  # stand-ins where only the files define the classes


@dataclass(frozen=True)
class Series:
    """What a running trial reports after each epoch.

    Attributes:
        metric: its name in MLflow.
        field: the field of `Epoch` that holds it.
        reversed: whether it is reported negative, because the search looks for the largest value
            and it is better the lower it is.
    """

    metric: str
    field: str
    reversed: bool = False

    def value_of(self, epoch: Epoch) -> float:
        """Return the value to report after an epoch."""
        value = float(getattr(epoch, self.field))
        return -value if self.reversed else value


def settled(search: Search, tasks: Sequence[str]) -> Search:
    """Return a search with the metric and the direction of its first task, where they are `auto`.

    The metric is the primary validation score; the direction follows from the metric.
    """
    task = task_named(tasks[0])
    metric = names.VALIDATION + task.primary if search.metric == AUTO else search.metric
    of_a_target = metric.startswith((f"{names.VALIDATION}mae/", f"{names.TEST}mae/"))
    least = _metrics([task.name], _NAMELESS).get(metric, of_a_target)
    direction = search.direction
    if direction == AUTO:
        direction = "minimize" if least else "maximize"
    return search.model_copy(update={"metric": metric, "direction": direction})


def compared(search: Search, measure: str = "accuracy") -> Series:
    """Return the per-epoch series by which a trial is compared with earlier ones.

    The metric itself if it is logged every epoch; otherwise the validation accuracy, or the
    validation loss if lower is better, and for a regression.

    Args:
        search: the search, settled.
        measure: what is computed after each epoch, beside the loss.
    """
    fields = {metric: field for field, metric in names.epoch_metrics(measure).items()}
    if search.metric in names.curves(measure):
        return Series(search.metric, fields[search.metric])
    by_loss = search.direction == "minimize" or SCORES[measure].least
    metric = names.LOSS_VALIDATION if by_loss else f"{measure}/validation"
    return Series(metric, fields[metric], by_loss and search.direction == "maximize")


def unknown_metric(metric: str, datasets: Iterable[str], tasks: Sequence[str] = ()) -> list[str]:
    """Return a sentence if runs on one of these data sets do not log the metric.

    Args:
        metric: its name; `auto` is always known.
        tasks: the tasks of the runs; without any, those that the data can have.
    """
    if metric == AUTO:
        return []
    for name in datasets:
        classes = spec_of(name).classes
        possible = tasks or (TASKS[:1] if classes else TASKS)
        known = _metrics(possible, classes or _NAMELESS)
        if metric not in known and not (not classes and _is_of_a_name(metric)):
            task = task_named(possible[0])
            offered = choices(_scores(task, names.VALIDATION, classes or _NAMELESS))
            return [
                f"hydra.sweeper.metric={metric} is not a metric of runs on dataset={name}"
                f"{did_you_mean(metric, known)}; there are {offered}, and as many of test/..., "
                f"best/... and each epoch ({choices(names.curves(task.measure))})."
            ]
    return []


def _is_of_a_name(metric: str) -> bool:
    """Return whether a metric is of a class, label or target that only the files name."""
    splits = (names.VALIDATION, names.TEST)
    return metric.startswith(tuple(split + prefix for split in splits for prefix in _BY_NAME))


def doubts(search: Search) -> list[str]:
    """Return one sentence per choice that is probably unintended."""
    found = []
    if search.metric.startswith(names.TEST):
        found.append(
            f"hydra.sweeper.metric={search.metric}: what is chosen by the test data cannot be "
            "judged by them."
        )
    if _metrics(TASKS, _NAMELESS).get(search.metric) and search.direction == "maximize":
        found.append(
            f"hydra.sweeper.direction=maximize looks for the largest {search.metric}; meant may be "
            "minimize."
        )
    return found


def _metrics(tasks: Iterable[str], classes: Sequence[str]) -> dict[str, bool]:
    """Return the metrics of runs of some tasks by name; the value is True if lower is better."""
    found = {names.BEST_EPOCH: False, names.SECONDS: True, names.PARAMETERS: True}
    for task in map(task_named, tasks):
        best = names.best_metrics(task.measure)
        found |= _scores(task, names.VALIDATION, classes) | _scores(task, names.TEST, classes)
        for field, metric in names.epoch_metrics(task.measure).items():
            found |= {best[field]: metric in _LOSSES}
        found |= {metric: metric in _LOSSES for metric in names.curves(task.measure)}
    return found


def _scores(task: Task, split: str, classes: Sequence[str]) -> dict[str, bool]:
    """Return the scores of an evaluation, likewise."""
    found = {split + name: SCORES[name].least for name in task.score_names}
    by_name = task.name_scores(classes).values()
    return found | {split + name: name.startswith("mae/") for name in by_name}
