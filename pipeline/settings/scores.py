"""The scores of each task, which can select the best of several runs: the values of `select_by=`.

A task's first score is its primary score: it is shown, and selects the best run by default.
"""

from collections.abc import Iterable
from dataclasses import dataclass

from pipeline.data.label_task import AUTO


@dataclass(frozen=True)
class Score:
    """A score of a model on a split."""

    title: str  # name in prose, `macro F1`
    column: str  # column heading, `F1`
    least: bool = False  # whether lower is better, as for a loss


SCORES = {
    "f1_macro": Score("macro F1", "F1"),
    "f1_weighted": Score("weighted F1", "weighted F1"),
    "f1_micro": Score("micro F1", "micro F1"),
    "accuracy": Score("accuracy", "accuracy"),
    "subset_accuracy": Score("subset accuracy", "subset accuracy"),
    "r2": Score("R²", "R²"),
    "mae": Score("mean absolute error", "MAE", least=True),
    "rmse": Score("root mean squared error", "RMSE", least=True),
    "loss": Score("loss", "loss", least=True),
}
_CLASSES = ("f1_macro", "f1_weighted", "accuracy", "loss")
TASK_SCORES = {
    "multiclass": _CLASSES,
    "binary": _CLASSES,
    "multilabel": ("f1_macro", "f1_micro", "accuracy", "subset_accuracy", "loss"),
    "regression": ("r2", "mae", "rmse", "loss"),
}
MEASURES = {task: "mae" if task == "regression" else "accuracy" for task in TASK_SCORES}
"""The score that is computed after each epoch, beside the loss."""
SELECT_BY = (AUTO, *SCORES)


def selected_score(select_by: str, tasks: Iterable[str]) -> str:
    """Return the score that `select_by=` names for runs of these tasks.

    `auto` is the primary score of the first task.
    """
    if select_by != AUTO:
        return select_by
    return TASK_SCORES[next(iter(tasks), "multiclass")][0]
