"""Baseline scores: the majority class, and word counts with a linear classifier."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from sklearn.feature_extraction.text import TfidfVectorizer
from sklearn.linear_model import LogisticRegression
from sklearn.metrics import accuracy_score, f1_score
from sklearn.pipeline import Pipeline, make_pipeline

from pipeline.data.dataset import Split

_STRENGTHS = (0.1, 1.0, 10.0, 100.0)
"""Inverse regularisation strengths to choose from if there are validation examples."""


@dataclass(frozen=True)
class Baseline:
    """A baseline's scores on the test set.

    Attributes:
        name: name of the classifier.
        f1_macro: unweighted mean of the per-class F1.
        accuracy: fraction of correct predictions.
    """

    name: str
    f1_macro: float
    accuracy: float


def majority_class(train_labels: NDArray[np.int64], test_labels: NDArray[np.int64]) -> Baseline:
    """Predict the most frequent training class (the lowest index on a tie) for every example.

    Args:
        train_labels: class indices, shape ``(N,)``.
        test_labels: class indices, shape ``(M,)``.
    """
    majority = np.bincount(train_labels).argmax()
    return _score("majority class", test_labels, np.full_like(test_labels, majority))


def tfidf_logistic_regression(train: Split, validation: Split | None, test: Split) -> Baseline:
    """Classify by TF-IDF of words and word pairs with logistic regression.

    Args:
        train: texts to fit on.
        validation: texts to choose the regularisation with, by macro F1; None leaves it at 1.
        test: texts to score.

    Raises:
        ValueError: when the splits have no texts.
    """
    if train.texts is None or test.texts is None:
        raise ValueError("TF-IDF needs splits with texts, got images.")
    if validation is None:
        best = _fitted(train, 1.0)
    else:
        models = [_fitted(train, strength) for strength in _STRENGTHS]
        best = max(models, key=lambda model: _evaluate(model, validation).f1_macro)
    return _evaluate(best, test)


def _fitted(train: Split, strength: float) -> Pipeline:
    words = TfidfVectorizer(ngram_range=(1, 2))
    classifier = LogisticRegression(C=strength, max_iter=2_000)
    return make_pipeline(words, classifier).fit(train.texts, train.labels)


def _evaluate(model: Pipeline, split: Split) -> Baseline:
    return _score("TF-IDF with logistic regression", split.labels, model.predict(split.texts))


def _score(name: str, labels: NDArray[np.int64], predicted: NDArray[np.int64]) -> Baseline:
    return Baseline(
        name=name,
        f1_macro=float(f1_score(labels, predicted, average="macro", zero_division=0.0)),
        accuracy=float(accuracy_score(labels, predicted)),
    )
