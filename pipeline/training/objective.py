"""What a model is compiled for: the task, or a loss and metrics instead of and beside its own."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from pipeline.functions.lookup import is_own, own_function
from pipeline.tasks import task_named

Function = str | Callable[..., Any]


@dataclass(frozen=True)
class Objective:
    """Loss and metrics of a fit.

    Attributes:
        task: name of the task, whose metric is always computed.
        loss: Keras's name of a loss, or a user's function `module:function` of labels and outputs;
            None for the loss of the task.
        metrics: further metrics, named likewise.
    """

    task: str = "multiclass"
    loss: str | None = None
    metrics: tuple[str, ...] = ()

    @property
    def keras_loss(self) -> Function:
        """The loss as Keras takes it."""
        return _as_keras("loss", self.loss) if self.loss else task_named(self.task).loss

    @property
    def keras_metrics(self) -> list[Function]:
        """The metrics as Keras takes them, that of the task first."""
        further = [_as_keras("metrics", name) for name in self.metrics]
        return [task_named(self.task).metric, *further]


MULTICLASS = Objective()


def _as_keras(key: str, name: str) -> Function:
    return own_function(key, name)[0] if is_own(name) else name
