import numpy as np
import pytest

from pipeline.data import DatasetError, load
from pipeline.data.label_task import task_of_labels


@pytest.mark.parametrize(
    ("labels", "task"),
    [
        (np.array([0, 1, 2]), "multiclass"),
        (np.array([0, 1]), "multiclass"),
        (np.array([[0, 1], [1, 1]], np.uint8), "multilabel"),
        (np.array([[0, 1], [1, 1]], np.float32), "multilabel"),
        (np.array([0.0, 1.0], np.float32), "regression"),
        (np.array([[0.5, 1], [1, 1]], np.float32), "regression"),
    ],
)
def test_labels_suggest_a_task(labels, task):
    assert task_of_labels(labels) == task


def test_a_task_that_does_not_fit_the_labels_is_refused(tmp_path):
    for task in ("binary", "multilabel", "regression"):
        with pytest.raises(DatasetError, match=f"task={task} does not fit the labels of .*classes"):
            load("digits", data_dir=tmp_path, task=task)
    assert load("digits", data_dir=tmp_path, task="multiclass").task == "multiclass"
