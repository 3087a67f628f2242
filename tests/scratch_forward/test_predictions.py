import json

import numpy as np
import pytest

from scratch_forward import ArchiveError, Classifier, load
from scratch_forward.card import write_card
from scratch_forward.classifier import described_input
from scratch_forward.predictions import by_name, prediction_of
from tests.support import archives
from tests.support.classifiers import PREPROCESSING, text_model

NAMES = ("buruk", "netral", "baik")


def saved(folder, task):
    """A classifier of three outputs, stored as a run stores it."""
    path = folder / "model.keras"
    archives.write(path, text_model(PREPROCESSING))
    (folder / "preprocessing.json").write_text(described_input(PREPROCESSING, task))
    model = load(path)
    write_card(path, model, lambda given: model.predict(given[0]), {}, PREPROCESSING, task)
    return folder


@pytest.mark.parametrize("task", ["multiclass", "multilabel", "regression"])
def test_a_stored_task_decides_what_outputs_mean(tmp_path, task):
    classifier = Classifier.load(saved(tmp_path, task), verify=True)
    (row,) = classifier.probabilities(["enak sekali"])
    (answer,) = classifier(["enak sekali"])
    numbers = dict(zip(NAMES, row.tolist(), strict=True))
    assert answer.numbers == numbers
    decided = {
        "multiclass": {"class": max(numbers, key=numbers.get), "probabilities": numbers},
        "multilabel": {
            "labels": [name for name in NAMES if numbers[name] > 0.5],
            "probabilities": numbers,
        },
        "regression": {"values": numbers},
    }
    assert answer.document == decided[task]


def test_a_changed_task_is_refused_by_the_card(tmp_path):
    folder = saved(tmp_path, "regression")
    (folder / "preprocessing.json").write_text(described_input(PREPROCESSING, "multilabel"))
    with pytest.raises(ArchiveError, match=r"not what .* was made for"):
        Classifier.load(folder, verify=True)
    described = {**json.loads(PREPROCESSING.to_json()), "task": "guessing"}
    (folder / "preprocessing.json").write_text(json.dumps(described))
    with pytest.raises(ArchiveError, match="task='guessing' is unknown"):
        Classifier.load(folder)


def test_one_output_does_not_fit_three_classes(tmp_path):
    folder = saved(tmp_path, "binary")
    with pytest.raises(ArchiveError, match="names 3 classes, but the model beside it has 3 output"):
        Classifier.load(folder)


def test_a_binary_output_is_the_probability_of_the_second_class():
    (row,) = by_name("binary", np.array([[0.75]], np.float32))
    answer = prediction_of("binary", row, ("no", "yes"))
    assert answer.class_name == "yes"
    assert answer.probabilities == {"yes": 0.75, "no": 0.25}


def test_values_are_told_with_six_digits():
    answer = prediction_of("regression", np.array([1234.5678, -2]), ("width", "height"))
    assert answer.answer == "1234.57, -2"
