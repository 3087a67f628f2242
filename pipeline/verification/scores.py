"""Keras's stored predictions, and whether they match the scores that a run logged."""

import math
from collections.abc import Mapping, Sequence
from pathlib import Path

import numpy as np

from pipeline.data.dataset import Split
from pipeline.tasks import Task
from pipeline.tracking import names
from scratch_forward import ArchiveError, Limits
from scratch_forward.io.stored_arrays import read_arrays

SCORE_BAR = (
    1e-6  # a score is a mean over the examples: one prediction more or less moves it further
)


class StoredPredictionsError(ValueError):
    """The stored predictions are damaged or belong to another test set; the message says how."""


def stored_predictions(folder: Path, task: Task, test: Split, classes: int) -> np.ndarray:
    """Return Keras's outputs `(N, outputs)` for a test set.

    Args:
        test: the N examples, whose labels must equal those stored with the predictions.
        classes: number of classes, labels or targets.

    Raises:
        StoredPredictionsError: when the file is damaged or contains something else.
    """
    path = folder / names.TEST_PREDICTIONS
    try:
        stored = read_arrays(path, names.TEST_PREDICTIONS, Limits().archive_bytes)
    except ArchiveError as error:
        raise StoredPredictionsError(str(error)) from error
    empty = np.zeros(0)
    outputs, labels = stored.get(task.stored_as, empty), stored.get("labels", empty)
    wanted = (len(test), task.outputs(classes))
    if outputs.dtype.kind != "f" or outputs.shape != wanted:
        raise StoredPredictionsError(
            f"{names.TEST_PREDICTIONS} holds {task.stored_as} of shape {outputs.shape}, not of "
            f"{wanted}."
        )
    if not np.array_equal(labels, test.labels):
        raise StoredPredictionsError(
            f"{names.TEST_PREDICTIONS} holds other labels than the test set."
        )
    return outputs


def score_faults(
    task: Task,
    logged: Mapping[str, float],
    keras: np.ndarray,
    labels: np.ndarray,
    classes: Sequence[str],
) -> list[str]:
    """Return one sentence if the logged test scores do not match the predictions.

    Args:
        keras: the stored outputs `(N, outputs)`.
        labels: true labels, `(N,)` or `(N, K)`.
        classes: names of the classes, labels or targets.
    """
    recomputed = {
        f"{names.TEST}{name}": value for name, value in task.scores(keras, labels, classes).items()
    }
    other = [name for name in recomputed if not _same(logged.get(name), recomputed[name])]
    if not other:
        return []
    name = other[0]
    found = f"logged as {logged[name]:.6f}" if name in logged else "not logged"
    return [
        f"{name} is {found}, but the stored predictions give {recomputed[name]:.6f}: scores and "
        "predictions are not of the same training."
    ]


def _same(logged: float | None, recomputed: float) -> bool:
    if logged is None:
        return False
    if math.isnan(logged) or math.isnan(recomputed):
        return math.isnan(logged) and math.isnan(recomputed)
    return abs(logged - recomputed) <= SCORE_BAR * max(1.0, abs(recomputed))
