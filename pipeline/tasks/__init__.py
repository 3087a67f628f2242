"""The meaning of labels and outputs: one module per task, and baselines."""

from pipeline.tasks.binary import Binary
from pipeline.tasks.classification import Multiclass
from pipeline.tasks.multilabel import Multilabel
from pipeline.tasks.regression import Regression
from pipeline.tasks.task import Task

_TASKS: dict[str, Task] = {
    task.name: task for task in (Multiclass(), Binary(), Multilabel(), Regression())
}


def task_named(name: str) -> Task:
    """Return the task that a value of `task=`, or of a run's tag, names."""
    return _TASKS[name]


__all__ = ["Task", "task_named"]
