"""What a run is measured by, each under one name, in one place."""

from collections.abc import Callable
from dataclasses import dataclass

from pipeline.reports.study.study_run import StudyRun
from pipeline.tracking import names

RISE = 0.05  # of the least validation loss: a later rise above this is overfitting


@dataclass(frozen=True)
class Measure:
    """One number of a run.

    Attributes:
        title: for people.
        of: gives it for a run; None where the run did not log it.
        decimals: with which it is written.
    """

    title: str
    of: Callable[[StudyRun], float | None]
    decimals: int = 3

    def show(self, value: float, signed: bool = False) -> str:
        """The number in words, with a true minus sign."""
        sign = "+" if signed else ""
        return f"{value:{sign},.{self.decimals}f}".replace("-", "−")


def logged(name: str) -> Callable[[StudyRun], float | None]:
    """The last value of a metric."""
    return lambda run: run.metrics.get(name)


def peak_accuracy(run: StudyRun) -> float | None:
    """The highest validation accuracy of any epoch: what one reads off a curve."""
    return max(run.curves.get(names.ACCURACY_VALIDATION, ()), default=None)


def overfits_after(run: StudyRun) -> float | None:
    """The epoch of least validation loss, if the loss later rises by 5 % of itself; else None."""
    losses = run.curves.get(names.LOSS_VALIDATION, ())
    if not losses:
        return None
    least = min(losses)
    epoch = losses.index(least) + 1
    return float(epoch) if max(losses[epoch - 1 :]) > least * (1 + RISE) else None


MEASURES: dict[str, Measure] = {
    "test_f1_macro": Measure("test macro F1", logged(names.TEST_F1_MACRO)),
    "test_accuracy": Measure("test accuracy", logged(names.TEST_ACCURACY)),
    "validation_f1_macro": Measure("validation macro F1", logged(names.VALIDATION_F1_MACRO)),
    "best_accuracy_validation": Measure(
        "validation accuracy at the best epoch", logged(names.BEST_ACCURACY_VALIDATION)
    ),
    "peak_accuracy_validation": Measure("highest validation accuracy", peak_accuracy),
    "best_loss_validation": Measure("least validation loss", logged(names.BEST_LOSS_VALIDATION)),
    "best_epoch": Measure("epoch of least validation loss", logged(names.BEST_EPOCH), 1),
    "overfits_after": Measure("overfits after epoch", overfits_after, 1),
    "seconds": Measure("seconds a run", logged(names.SECONDS), 1),
    "parameters": Measure("parameters", logged(names.PARAMETERS), 0),
}

MAIN = MEASURES["test_f1_macro"]
