import numpy as np
import pytest

from pipeline.tasks import classification

CLASSES = ("negative", "neutral", "positive")


def one_hot(classes):
    return np.eye(3, dtype=np.float32)[classes]


def test_always_negative_on_nusax_scores_what_is_known_of_it():
    labels = np.repeat([0, 1, 2], [153, 96, 151])
    scores = classification.scores(one_hot(np.zeros(400, int)), labels, CLASSES)
    assert scores["f1_macro"] == pytest.approx(0.1844, abs=5e-5)
    assert scores["accuracy"] == pytest.approx(153 / 400)
    assert scores["f1/positive"] == 0


def test_hand_computed_scores():
    probabilities = np.array([[0.5, 0.25, 0.25], [0.25, 0.5, 0.25], [0.1, 0.8, 0.1]])
    scores = classification.scores(probabilities, np.array([0, 1, 2]), CLASSES)
    assert scores["loss"] == pytest.approx(-np.log([0.5, 0.5, 0.1]).mean())
    assert scores["accuracy"] == pytest.approx(2 / 3)
    assert scores["f1_macro"] == pytest.approx((1 + 2 / 3 + 0) / 3)
    assert scores["f1_weighted"] == scores["f1_macro"]
    assert scores["f1/neutral"] == pytest.approx(2 / 3)


def test_a_certain_mistake_does_not_make_the_loss_infinite():
    loss = classification.scores(one_hot([0]), np.array([1]), CLASSES)["loss"]
    assert loss == pytest.approx(87.34, abs=0.01)


def test_one_class_for_all_but_a_hundredth_is_degenerate():
    assert classification.degeneration(one_hot([2, 2, 2]), CLASSES) == "predicts only positive"
    assert classification.degeneration(one_hot([2, 1, 2]), CLASSES) is None
    nearly = one_hot([0] * 199 + [1])
    assert classification.degeneration(nearly, CLASSES) == "predicts negative for 199 of 200"
    assert classification.degeneration(one_hot([0] * 97 + [1] * 3), CLASSES) is None


def test_confusion_has_true_classes_in_rows():
    counts = classification.confusion(one_hot([0, 0, 2]), np.array([0, 1, 1]))
    assert counts.tolist() == [[1, 0, 0], [1, 0, 1], [0, 0, 0]]


def test_the_report_names_every_class():
    text = classification.report(one_hot([0, 0]), np.array([0, 0]), CLASSES)
    assert all(name in text for name in CLASSES)
    assert "1.0000" in text


def test_class_names_become_names_of_metrics_that_mlflow_takes_and_stay_apart():
    from mlflow.utils.validation import _validate_metric_name

    classes = ["C++", "C#.", "C--", "a/b", "...", "très bon"]
    named = classification.scores(np.eye(6), np.arange(6), classes)
    assert len([name for name in named if name.startswith("f1/")]) == 6
    assert {"f1/C__", "f1/C--", "f1/a_b", "f1/_", "f1/très bon"} <= set(named)
    for name in named:
        _validate_metric_name(f"test/{name}")


def test_class_scores_are_those_of_the_report():
    labels = np.array([0, 0, 0, 1, 1, 2])
    probabilities = np.eye(3)[[0, 0, 1, 1, 2, 0]]
    found = classification.class_scores(probabilities, labels, ["a", "b", "accuracy"])
    assert [one.name for one in found] == [
        *("a", "b", "accuracy"),
        *("macro average", "weighted average"),
    ]
    assert [one.support for one in found] == [3, 2, 1, 6, 6]
    text = classification.report(probabilities, labels, ["a", "b", "accuracy"]).splitlines()
    rows = [line.split()[-4:-1] for line in (*text[2:5], *text[-2:])]
    assert rows == [
        [f"{score:.4f}" for score in (one.precision, one.recall, one.f1)] for one in found
    ]
