"""The history of a fit, epoch by epoch; no TensorFlow."""

from dataclasses import dataclass


@dataclass(frozen=True)
class Epoch:
    """One pass over the training data; `number` counts from 1, `seconds` is its duration."""

    number: int
    loss_train: float
    loss_validation: float
    accuracy_train: float
    accuracy_validation: float
    learning_rate: float
    seconds: float


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
