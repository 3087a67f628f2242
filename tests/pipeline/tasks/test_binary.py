import numpy as np
import pytest
from sklearn.metrics import accuracy_score, f1_score, log_loss

from pipeline.tasks import task_named

TASK = task_named("binary")
NAMES = ("no", "yes")
RNG = np.random.default_rng(0)
OUTPUTS = RNG.random((50, 1)).astype(np.float32)
LABELS = (RNG.random(50) < 0.4).astype(np.int64)


def test_scores_are_those_of_scikit_learn():
    scores = TASK.scores(OUTPUTS, LABELS, NAMES)
    predicted = (OUTPUTS[:, 0] > 0.5).astype(int)
    assert scores["f1_macro"] == pytest.approx(f1_score(LABELS, predicted, average="macro"))
    assert scores["f1/yes"] == pytest.approx(f1_score(LABELS, predicted))
    assert (
        scores["accuracy"]
        == accuracy_score(LABELS, predicted)
        == TASK.epoch_measure(OUTPUTS, LABELS)
    )
    assert scores["loss"] == pytest.approx(log_loss(LABELS, OUTPUTS[:, 0].astype(float)))
    assert set(TASK.score_names) < set(scores)


def test_one_half_is_the_first_class():
    half = np.array([[0.5], [np.nextafter(np.float32(0.5), np.float32(1))]], np.float32)
    below = np.array([[np.nextafter(np.float32(0.5), np.float32(0))]], np.float32)
    assert TASK.decisions(half).taken.tolist() == [0, 1]
    assert TASK.decisions(below).taken.tolist() == [0]


def test_a_certain_mistake_does_not_make_the_loss_infinite():
    certain = np.array([[0.0], [1.0]], np.float32)
    assert TASK.epoch_loss(certain[:1], np.array([1])) == pytest.approx(87.34, abs=0.01)
    assert TASK.epoch_loss(certain[1:], np.array([0])) == pytest.approx(16.64, abs=0.01)
    assert TASK.epoch_loss(certain, np.array([0, 1])) == 0


def test_one_class_for_all_is_degenerate():
    assert TASK.degeneration(np.full((9, 1), 0.6), LABELS[:9], NAMES) == "predicts only yes"
    assert TASK.degeneration(OUTPUTS, LABELS, NAMES) is None


def test_a_prediction_in_words():
    assert TASK.prediction(np.array([0.9]), NAMES) == "yes"
    assert TASK.certainty(np.array([0.75]), 0) == (0.75, 0.25)
    worst = TASK.worst(np.array([[0.9], [0.2], [0.99]]), np.array([0, 0, 0]))
    assert worst.tolist() == [2, 0]
