from dataclasses import replace

import numpy as np
import pytest

from pipeline.data import load
from pipeline.data.dataset import Split
from pipeline.tasks.baselines import tfidf_logistic_regression
from pipeline.tasks.classification import Multiclass


def texts_of(texts, labels):
    return Split(np.zeros((len(texts), 1), np.int32), np.array(labels), tuple(texts))


def majority_class(train, test):
    return Multiclass().baseline(train, test, ())


def test_majority_class_by_hand():
    """Always 2: precision 1/4 and recall 1 make its F1 0.4, of three classes a mean of 0.4 / 3."""
    baseline = majority_class(np.array([0, 2, 2, 1]), np.array([0, 0, 1, 2]))
    assert baseline["f1_macro"] == pytest.approx(0.4 / 3)
    assert baseline["accuracy"] == 0.25


def test_majority_comes_from_training_labels():
    assert majority_class(np.array([1, 1, 0]), np.array([0, 0, 0]))["accuracy"] == 0.0


def test_always_negative_on_nusax(real_nusax):
    data = load("nusax", data_dir=real_nusax)
    assert majority_class(data.train.labels, data.test.labels)["f1_macro"] == pytest.approx(
        0.1844, abs=5e-5
    )


def test_word_counts_solve_what_single_words_decide():
    train = texts_of(["enak sekali", "sangat enak", "buruk sekali", "sangat buruk"], [1, 1, 0, 0])
    test = texts_of(["enak", "buruk banget"], [1, 0])
    baseline = tfidf_logistic_regression(train, None, test)
    assert baseline.scores == {"f1_macro": 1.0, "accuracy": 1.0}


def test_validation_chooses_the_regularisation(tmp_path):
    data = load("reviews", data_dir=tmp_path, train_size=300)
    default = tfidf_logistic_regression(data.train, None, data.test)
    chosen = tfidf_logistic_regression(data.train, data.validation, data.test)
    assert chosen.scores["f1_macro"] > default.scores["f1_macro"]


def test_other_validation_examples_choose_otherwise(tmp_path):
    data = load("reviews", data_dir=tmp_path, train_size=300)
    contrary = replace(data.test, labels=(data.test.labels + 1) % 3)
    helped = tfidf_logistic_regression(data.train, data.test, data.test)
    misled = tfidf_logistic_regression(data.train, contrary, data.test)
    assert misled.scores["f1_macro"] < helped.scores["f1_macro"]


@pytest.mark.slow
def test_nusax_is_as_hard_as_known(real_nusax):
    data = load("nusax", data_dir=real_nusax)
    baseline = tfidf_logistic_regression(data.train, data.validation, data.test)
    assert 0.70 < baseline.scores["f1_macro"] < 0.78


def test_images_are_refused(tmp_path):
    data = load("digits", data_dir=tmp_path)
    with pytest.raises(ValueError, match="needs splits with texts"):
        tfidf_logistic_regression(data.train, data.validation, data.test)
