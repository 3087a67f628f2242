"""The history of a fit, epoch by epoch; no TensorFlow."""

from collections.abc import Mapping
from dataclasses import dataclass, field


@dataclass(frozen=True)
class Epoch:
    """One pass over the training data.

    Attributes:
        number: counts from 1.
        loss_train: mean loss while training, with penalties of weights.
        loss_validation: loss after the epoch, likewise.
        measure_train: the task's measure while training.
        measure_validation: the task's measure after the epoch.
        learning_rate: of the epoch's last step.
        seconds: duration.
        measure: name of the measure: `accuracy` or, for a regression, `mae`.
        further: values of further metrics, `NAME/train` and `NAME/validation`.
    """

    number: int
    loss_train: float
    loss_validation: float
    measure_train: float
    measure_validation: float
    learning_rate: float
    seconds: float
    measure: str = "accuracy"
    further: Mapping[str, float] = field(default_factory=dict)


@dataclass(frozen=True)
class History:
    """Every epoch of a fit, and the one whose weights the model holds."""

    epochs: tuple[Epoch, ...]
    restored: bool

    @property
    def best(self) -> Epoch:
        """The epoch with the lowest validation loss (the first, if several)."""
        return min(self.epochs, key=lambda epoch: epoch.loss_validation)

    @property
    def seconds(self) -> float:
        """The duration of all epochs, without interruptions."""
        return sum(epoch.seconds for epoch in self.epochs)
