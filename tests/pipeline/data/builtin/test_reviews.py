import numpy as np
import pytest

from pipeline.data import load
from pipeline.data.builtin import reviews
from pipeline.tasks.baselines import tfidf_logistic_regression
from scratch_forward.preprocessing import tokenize


@pytest.fixture(scope="module")
def source():
    return reviews.read()


def every_text(source):
    return [*source.train.texts, *source.validation.texts, *source.test.texts]


def test_sizes_and_balance(source):
    parts = (source.train, source.validation, source.test)
    assert [np.bincount(part.labels).tolist() for part in parts] == [
        [400] * 3,
        [100] * 3,
        [200] * 3,
    ]


def test_no_sentence_twice(source):
    sentences = [tuple(tokenize(text)) for text in every_text(source)]
    assert len(set(sentences)) == len(sentences) == 2100


def test_reads_like_sentences(source):
    for text in every_text(source):
        assert text[0].isupper()
        assert text.endswith(".")
        assert "{" not in text
        assert "  " not in text


def test_same_words_in_another_order_have_another_sentiment(source):
    """The last clause decides: some bags of words occur with more than one label."""
    labels = {}
    for part in (source.train, source.validation, source.test):
        for text, label in zip(part.texts, part.labels, strict=True):
            labels.setdefault(frozenset(tokenize(text)), set()).add(int(label))
    assert sum(len(found) > 1 for found in labels.values()) >= 3


@pytest.mark.parametrize(
    ("text", "label"),
    [
        ("Sambalnya sangat lezat, tetapi es tehnya pahit.", reviews.NEGATIVE),
        ("Dulu kinerjanya begitu lambat, sekarang lancar.", reviews.POSITIVE),
        ("Kata teman jadwalnya payah, padahal tidak begitu.", reviews.POSITIVE),
        ("Awalnya bahannya rapi, tetapi sekarang biasa saja.", reviews.NEUTRAL),
    ],
)
def test_grammar_labels_as_a_reader_would(source, text, label):
    position = [review.lower().endswith(text.lower()) for review in source.train.texts].index(True)
    assert source.train.labels[position] == label


def test_bag_of_words_is_above_chance_and_far_from_solving_it(tmp_path):
    data = load("reviews", data_dir=tmp_path)
    baseline = tfidf_logistic_regression(data.train, data.validation, data.test)
    assert 0.6 < baseline.scores["f1_macro"] < 0.75


@pytest.mark.slow
def test_bidirectional_lstm_learns_it_clearly_better_than_a_bag_of_words(tmp_path):
    keras = pytest.importorskip("keras")
    from sklearn.metrics import f1_score

    data = load("reviews", data_dir=tmp_path)
    keras.utils.set_random_seed(0)
    model = keras.Sequential(
        [
            keras.layers.Embedding(len(data.preprocessing.vocabulary), 128),
            keras.layers.Bidirectional(keras.layers.LSTM(64)),
            keras.layers.Dropout(0.5),
            keras.layers.Dense(3, activation="softmax"),
        ]
    )
    model.compile(keras.optimizers.Adam(1e-3), "sparse_categorical_crossentropy")
    model.fit(data.train.inputs, data.train.labels, batch_size=32, epochs=10, verbose=0)
    predicted = model.predict(data.test.inputs, verbose=0).argmax(1)
    f1_lstm = f1_score(data.test.labels, predicted, average="macro")
    f1_words = tfidf_logistic_regression(data.train, data.validation, data.test).scores["f1_macro"]
    assert f1_words + 0.08 <= f1_lstm < 0.99
