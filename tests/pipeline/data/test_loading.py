import numpy as np
import pytest

from pipeline.data import DatasetError, load, load_test


def test_same_arguments_give_the_same_arrays(tmp_path):
    first, second = (load("reviews", data_dir=tmp_path, train_size=300) for _ in range(2))
    assert first.fingerprints == second.fingerprints


@pytest.mark.parametrize(
    ("name", "expected"),
    [
        ("digits", "e59ce106"),
        ("reviews", "fb13f8e6"),
    ],
)
def test_built_in_data_never_changes(name, expected, tmp_path):
    assert load(name, data_dir=tmp_path).train.fingerprint.startswith(expected)


def test_train_size_leaves_validation_and_test_alone(tmp_path):
    small = load("digits", data_dir=tmp_path, train_size=100)
    large = load("digits", data_dir=tmp_path)
    assert small.train.inputs.shape == (100, 8, 8, 1)
    for name in ("validation", "test"):
        assert small.splits[name].fingerprint == large.splits[name].fingerprint


def test_all_training_examples_are_the_same_as_no_subset(tmp_path):
    whole = load("digits", data_dir=tmp_path)
    assert load("digits", data_dir=tmp_path, train_size=1077).fingerprints == whole.fingerprints


def test_vocabulary_comes_from_the_training_examples_used(tmp_path):
    small = load("reviews", data_dir=tmp_path, train_size=30)
    whole = load("reviews", data_dir=tmp_path)
    assert len(small.preprocessing.vocabulary) < len(whole.preprocessing.vocabulary)
    words = {word for text in small.train.texts for word in text.lower().strip(".").split()}
    assert "zebra" not in words
    assert (small.train.inputs != 1).all(), "no training word is unknown"
    assert (small.test.inputs == 1).any(), "some test words are"


def test_options_of_text_arrive(tmp_path):
    loaded = load("reviews", data_dir=tmp_path, vocabulary_size=50, max_length=6, padding="pre")
    assert loaded.train.inputs.shape == (1200, 6)
    assert loaded.train.inputs.max() == 49
    assert loaded.train.inputs.dtype == np.int32
    assert (loaded.train.inputs[:, -1] != 0).all()


@pytest.mark.parametrize(
    ("arguments", "told"),
    [
        ({"name": "mnist"}, "dataset='mnist' is unknown: expected one of digits, reviews"),
        ({"name": "digits", "train_size": 1078}, "train_size=1078 .* at most 1,077"),
        ({"name": "digits", "train_size": 9}, "train_size=9 .* at least 10"),
        ({"name": "reviews", "vocabulary_size": 2}, "vocabulary_size=2 .* at least 3"),
        ({"name": "reviews", "max_length": 0}, "=0 is too small: expected at least 1"),
        ({"name": "reviews", "padding": "left"}, "padding='left' is unknown: expected post or pre"),
        ({"name": "nusax", "language": "klingon"}, "language='klingon' .* acehnese"),
    ],
)
def test_impossible_arguments_are_refused_in_one_sentence(arguments, told, tmp_path):
    with pytest.raises(DatasetError, match=told) as refusal:
        load(data_dir=tmp_path, **arguments)
    assert str(refusal.value).count("\n") == 0


def test_description_says_what_is_synthetic(tmp_path):
    reviews, digits = (load(name, data_dir=tmp_path).describe() for name in ("reviews", "digits"))
    assert "synthetic" in reviews
    assert "1,200 train / 300 validation / 600 test" in reviews
    assert "synthetic" not in digits
    assert "\n" not in reviews + digits


@pytest.mark.parametrize(("name", "options"), [("digits", {}), ("reviews", {"train_size": 60})])
def test_the_test_examples_alone_are_those_of_the_whole(name, options, tmp_path):
    whole = load(name, data_dir=tmp_path, **options)
    test, classes = load_test(name, data_dir=tmp_path, **options)
    assert test.fingerprint == whole.fingerprints["test"]
    assert classes == whole.classes
