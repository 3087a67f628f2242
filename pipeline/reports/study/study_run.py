"""A run as a report uses it, and the measures computed from it; no MLflow."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field

from pipeline.settings.scores import SCORES
from pipeline.tracking import names

RISE = 0.05  # relative to the minimum validation loss: a later rise above this is overfitting


@dataclass(frozen=True)
class StudyRun:
    """The data of one run that a report needs.

    Attributes:
        run_id: MLflow's id.
        name: the name in MLflow's UI.
        status: FINISHED, FAILED, KILLED or RUNNING.
        started: milliseconds since 1970.
        params: parameters as logged.
        metrics: the last value of each metric.
        tags: tags as logged.
        curves: values by epoch, for each of `names.CURVES`.
    """

    run_id: str
    name: str
    status: str
    started: int
    params: Mapping[str, str]
    metrics: Mapping[str, float]
    tags: Mapping[str, str]
    curves: Mapping[str, Sequence[float]] = field(default_factory=dict)

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
    """A number that can be computed for a run.

    Attributes:
        title: its name in words.
        of: returns it for a run; None if the run did not log it.
        decimals: number of decimals to print.
        least: whether the lowest value is the best.
    """

    title: str
    of: Callable[[StudyRun], float | None]
    decimals: int = 3
    least: bool = False

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


def overfits_after(run: StudyRun) -> float | None:
    """Return the epoch of minimum validation loss if the loss later rises by 5 %, else None."""
    losses = run.curves.get(names.LOSS_VALIDATION, ())
    if not losses:
        return None
    least = min(losses)
    epoch = losses.index(least) + 1
    return float(epoch) if max(losses[epoch - 1 :]) > least * (1 + RISE) else None


MEASURES: dict[str, Measure] = {
    "validation_f1_macro": Measure("validation macro F1", logged(names.VALIDATION_F1_MACRO)),
    "test_f1_macro": Measure("test macro F1", logged(names.TEST_F1_MACRO)),
    "test_accuracy": Measure("test accuracy", logged(names.TEST_ACCURACY)),
    "best_accuracy_validation": Measure(
        "validation accuracy at the best epoch", logged(names.BEST_ACCURACY_VALIDATION)
    ),
    "peak_accuracy_validation": Measure("highest validation accuracy", peak_accuracy),
    "best_loss_validation": Measure("least validation loss", logged(names.BEST_LOSS_VALIDATION)),
    "best_epoch": Measure("epoch of least validation loss", logged(names.BEST_EPOCH), 1),
    "overfits_after": Measure("overfits after epoch", overfits_after, 1),
    "seconds": Measure("seconds per run", logged(names.SECONDS), 1),
    "parameters": Measure("parameters", logged(names.PARAMETERS), 0),
}

MAIN = MEASURES["test_f1_macro"]  # the measure that is reported and compared


def selection_measure(select_by: str) -> Measure:
    """Return the validation score that a value of `select_by=` names."""
    score = SCORES[select_by]
    of = logged(names.VALIDATION + select_by)
    return Measure(f"validation {score.title}", of, least=score.least)
