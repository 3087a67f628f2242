"""The baseline of text classification: word counts with a linear classifier."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from sklearn.feature_extraction.text import TfidfVectorizer
from sklearn.linear_model import LogisticRegression
from sklearn.pipeline import Pipeline, make_pipeline

from pipeline.data.dataset import Split
from pipeline.tasks.classification import predicted_scores

_STRENGTHS = (0.1, 1.0, 10.0, 100.0)
"""Inverse regularisation strengths to choose from if there are validation examples."""


@dataclass(frozen=True)
class Baseline:
    """A baseline's scores on the test set.

    Attributes:
        name: what it predicts, or how.
        scores: its scores, by name.
    """

    name: str
    scores: Mapping[str, float]


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
        best = max(models, key=lambda model: _evaluate(model, validation).scores["f1_macro"])
    return _evaluate(best, test)


def _fitted(train: Split, strength: float) -> Pipeline:
    words = TfidfVectorizer(ngram_range=(1, 2))
    classifier = LogisticRegression(C=strength, max_iter=2_000)
    return make_pipeline(words, classifier).fit(train.texts, train.labels)


def _evaluate(model: Pipeline, split: Split) -> Baseline:
    scores = predicted_scores(model.predict(split.texts), split.labels)
    return Baseline("TF-IDF with logistic regression", scores)
