import numpy as np
import pytest
from sklearn.metrics import accuracy_score, f1_score, log_loss

from pipeline.tasks import task_named
from pipeline.tasks.multilabel import label_counts

TASK = task_named("multilabel")
NAMES = ("fast", "red", "round")
RNG = np.random.default_rng(1)
OUTPUTS = RNG.random((60, 3)).astype(np.float32)
LABELS = (RNG.random((60, 3)) < 0.4).astype(np.uint8)


def test_scores_are_those_of_scikit_learn():
    scores, predicted = TASK.scores(OUTPUTS, LABELS, NAMES), OUTPUTS > 0.5
    for average in ("macro", "micro"):
        expected = f1_score(LABELS, predicted, average=average)
        assert scores[f"f1_{average}"] == pytest.approx(expected)
    assert scores["subset_accuracy"] == accuracy_score(LABELS, predicted)
    assert scores["accuracy"] == accuracy_score(LABELS.ravel(), predicted.ravel())
    assert scores["f1/red"] == pytest.approx(f1_score(LABELS[:, 1], predicted[:, 1]))
    assert scores["loss"] == pytest.approx(log_loss(LABELS.ravel(), OUTPUTS.ravel().astype(float)))
    assert list(TASK.name_scores(NAMES).values()) == ["f1/fast", "f1/red", "f1/round"]


def test_the_baseline_predicts_each_label_that_most_have():
    train = np.array([[1, 0, 1], [1, 0, 0], [1, 1, 0]], np.uint8)
    baseline = TASK.baseline(train, np.array([[1, 0, 0], [0, 1, 0]], np.uint8), NAMES)
    assert baseline["accuracy"] == pytest.approx(4 / 6)
    assert baseline["f1_micro"] == pytest.approx(0.5)


def test_the_same_labels_for_all_are_degenerate():
    same = np.tile([0.9, 0.1, 0.8], (200, 1))
    assert TASK.degeneration(same, same, NAMES) == "predicts only fast, round"
    same[0] = 0.1
    assert TASK.degeneration(same, same, NAMES) == "predicts fast, round for 199 of 200"
    assert TASK.degeneration(OUTPUTS, LABELS, NAMES) is None


def test_rows_are_those_of_the_report():
    rows = TASK.rows(OUTPUTS, LABELS, NAMES)
    lines = TASK.report(OUTPUTS, LABELS, NAMES).splitlines()
    for row, line in zip(rows, [*lines[2:5], *lines[6:8]], strict=True):
        assert line.split()[-4:] == [
            *(f"{number:.4f}" for number in (row.precision, row.recall, row.f1)),
            str(row.support),
        ]


def test_decisions_are_counted_per_label():
    outputs = np.array([[0.9, 0.1], [0.8, 0.2], [0.3, 0.7]])
    (first, second) = label_counts(outputs, np.array([[1, 0], [0, 1], [1, 1]]), ("a", "b"))
    assert (first.right, first.missed, first.wrong, first.absent) == (1, 1, 1, 0)
    assert (second.right, second.missed, second.wrong, second.absent) == (1, 1, 0, 1)


def test_the_most_certain_wrong_decision_comes_first():
    outputs = np.array([[0.6, 0.1], [0.9, 0.1], [0.1, 0.1], [np.nan, 0.9]])
    labels = np.zeros((4, 2), np.uint8)
    assert TASK.worst(outputs, labels).tolist() == [1, 3, 0]
    assert TASK.prediction(outputs[1], ("a", "b")) == "a"
    assert TASK.truth(labels[0], ("a", "b")) == "no label"
