"""The tasks, and which one the labels of a data set suggest; imports nothing heavy."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from numpy.typing import NDArray

TASKS = ("multiclass", "binary", "multilabel", "regression")
AUTO = "auto"  # the value of `task=` that leaves the task to the labels and the model


def task_of_labels(labels: NDArray[Any]) -> str:
    """Return the task that labels suggest; two classes suggest `multiclass`, as any number does.

    Args:
        labels: integers `(N,)` are classes; `(N, K)` of 0 and 1 are K labels; other numbers are
            the targets of a regression.
    """
    if labels.ndim == 2 and ((labels == 0) | (labels == 1)).all():
        return "multilabel"
    return "multiclass" if labels.ndim == 1 and labels.dtype.kind in "iub" else "regression"
