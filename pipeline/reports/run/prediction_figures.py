"""The figures of a run's predictions, by task."""

from collections.abc import Callable, Sequence

import numpy as np

from pipeline.reports.drawing.svg import Drawing
from pipeline.reports.run.residual_figures import predicted_against_true, residuals
from pipeline.reports.run.run_figures import confusion_figure, label_figure
from pipeline.tasks import Task
from pipeline.tasks.classification import confusion
from pipeline.tasks.multilabel import label_counts

_Figures = dict[str, Drawing]
_Draw = Callable[[Task, np.ndarray, np.ndarray, Sequence[str]], _Figures]

CAPTIONS = {
    "confusion_matrix": "Test examples by true and predicted class",
    "labels": "Test examples of each label by truth and prediction",
    "predicted_against_true": "Predicted against true values of the test examples",
    "residuals": "Residuals of the test examples",
}
"""The caption of each figure, by file name."""


def prediction_figures(
    task: Task, outputs: np.ndarray, labels: np.ndarray, names: Sequence[str]
) -> dict[str, Drawing]:
    """Draw the figures of predictions, by file name; a key of `CAPTIONS`.

    Args:
        outputs: `(N, outputs)`.
        labels: `(N,)` or `(N, K)`.
        names: names of the classes, labels or targets.
    """
    return _DRAWN[task.name](task, outputs, labels, names)


def _of_classes(
    task: Task, outputs: np.ndarray, labels: np.ndarray, names: Sequence[str]
) -> _Figures:
    counts = confusion(task.by_name(outputs), labels)
    return {"confusion_matrix": confusion_figure(counts, names)}


def _of_labels(
    task: Task, outputs: np.ndarray, labels: np.ndarray, names: Sequence[str]
) -> _Figures:
    return {"labels": label_figure(label_counts(outputs, labels, names))}


def _of_values(
    task: Task, outputs: np.ndarray, labels: np.ndarray, names: Sequence[str]
) -> _Figures:
    true = labels.reshape(len(labels), -1)
    return {
        "predicted_against_true": predicted_against_true(true, outputs, names),
        "residuals": residuals(true, outputs, names),
    }


_DRAWN: dict[str, _Draw] = {
    "multiclass": _of_classes,
    "binary": _of_classes,
    "multilabel": _of_labels,
    "regression": _of_values,
}
