"""A run as a report uses it, and the measures computed from it; no MLflow."""

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field

from pipeline.settings.scores import MEASURES, SCORES, TASK_SCORES, selected_score
from pipeline.tracking import names

RISE = 0.05  # relative to the minimum validation loss: a later rise above this is overfitting


@dataclass(frozen=True)
class StudyRun:
    """The data of one run that a report needs."""

    run_id: str
    name: str  # the name in MLflow's UI
    status: str  # FINISHED, FAILED, KILLED or RUNNING
    started: int  # milliseconds since 1970
    params: Mapping[str, str]  # parameters as logged
    metrics: Mapping[str, float]  # the last value of each metric
    tags: Mapping[str, str]  # tags as logged
    # values by epoch, for each of `names.curves`
    curves: Mapping[str, Sequence[float]] = field(default_factory=dict)

    @property
    def task(self) -> str:
        """The meaning of its outputs."""
        return names.task_of(self.tags)

    @property
    def seed(self) -> int:
        """The seed of all randomness in the run."""
        return int(self.params.get("seed", 0))

    @property
    def finished(self) -> bool:
        """Whether the run completed."""
        return self.status == "FINISHED"


@dataclass(frozen=True)
class Measure:
    """A number that can be computed for a run."""

    title: str  # its name in words
    of: Callable[[StudyRun], float | None]  # returns it for a run; None if the run did not log it
    decimals: int = 3  # number of decimals to print
    least: bool = False  # whether the lowest value is the best
    # the score on the test data that it is, to be compared with baselines; empty if it is none
    score: str = ""

    def by_seed(self, runs: Iterable[StudyRun]) -> dict[int, float]:
        """Return the number of each run by its seed, for the runs that have it."""
        found = {run.seed: self.of(run) for run in runs}
        return {seed: value for seed, value in found.items() if value is not None}

    def show(self, value: float, signed: bool = False) -> str:
        """Format the number, with a true minus sign."""
        sign = "+" if signed else ""
        return f"{value:{sign},.{self.decimals}f}".replace("-", "−")


def logged(name: str) -> Callable[[StudyRun], float | None]:
    """Return a function that reads the last value of a metric."""
    return lambda run: run.metrics.get(name)


def peak_accuracy(run: StudyRun) -> float | None:
    """Return the highest validation accuracy of any epoch."""
    return max(run.curves.get(names.ACCURACY_VALIDATION, ()), default=None)


def peak_mae(run: StudyRun) -> float | None:
    """Return the lowest mean absolute error on validation data of any epoch."""
    return min(run.curves.get(names.MAE_VALIDATION, ()), default=None)


def overfits_after(run: StudyRun) -> float | None:
    """Return the epoch of minimum validation loss if the loss later rises by 5 %, else None."""
    losses = run.curves.get(names.LOSS_VALIDATION, ())
    if not losses:
        return None
    least = min(losses)
    epoch = losses.index(least) + 1
    return float(epoch) if max(losses[epoch - 1 :]) > least * (1 + RISE) else None


def _of_score(split: str, title: str, name: str) -> Measure:
    score = SCORES[name]
    of_test = name if split == names.TEST else ""
    return Measure(f"{title} {score.title}", logged(split + name), 3, score.least, of_test)


_ON_TEST = {f"test_{name}": _of_score(names.TEST, "test", name) for name in SCORES}
_ON_VALIDATION = {
    f"validation_{name}": _of_score(names.VALIDATION, "validation", name) for name in SCORES
}
_AT_BEST = {
    "best_accuracy_validation": Measure(
        "validation accuracy at the best epoch", logged(names.BEST_ACCURACY_VALIDATION)
    ),
    "best_mae_validation": Measure(
        "validation mean absolute error at the best epoch",
        logged(names.BEST_MAE_VALIDATION),
        least=True,
    ),
    "peak_accuracy_validation": Measure("highest validation accuracy", peak_accuracy),
    "peak_mae_validation": Measure("lowest validation mean absolute error", peak_mae, least=True),
    "best_loss_validation": Measure(
        "least validation loss", logged(names.BEST_LOSS_VALIDATION), least=True
    ),
    "best_epoch": Measure("epoch of least validation loss", logged(names.BEST_EPOCH), 1),
    "overfits_after": Measure("overfits after epoch", overfits_after, 1),
    "seconds": Measure("seconds per run", logged(names.SECONDS), 1, least=True),
    "parameters": Measure("parameters", logged(names.PARAMETERS), 0, least=True),
}
STUDY_MEASURES: dict[str, Measure] = _ON_VALIDATION | _ON_TEST | _AT_BEST
"""Every measure by the name that studies use."""


def table_measures(task: str) -> tuple[str, ...]:
    """Return the names of the measures that a report's tables show of runs of a task."""
    first, second, *_ = TASK_SCORES[task]
    measure = MEASURES[task]
    beside = "accuracy" if measure == "accuracy" else second
    return (
        f"test_{first}",
        f"test_{beside}",
        f"best_{measure}_validation",
        f"peak_{measure}_validation",
        "best_loss_validation",
        "best_epoch",
    )


def file_measures(task: str) -> dict[str, Measure]:
    """Return the measures that a report's files hold of runs of a task, by name."""
    validation = f"validation_{TASK_SCORES[task][0]}"
    names_of = (validation, *table_measures(task), "overfits_after", "seconds", "parameters")
    return {name: STUDY_MEASURES[name] for name in names_of}


def main_measure(task: str) -> Measure:
    """Return the measure that is reported and compared: the primary score on the test data."""
    return STUDY_MEASURES[f"test_{TASK_SCORES[task][0]}"]


def selection_measure(select_by: str, task: str) -> Measure:
    """Return the validation score that a value of `select_by=` names."""
    return STUDY_MEASURES[f"validation_{selected_score(select_by, [task])}"]
