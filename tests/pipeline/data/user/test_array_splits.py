"""Arrays and texts of the user's: read as Keras's own data sets, or refused with the example."""

import numpy as np
import pytest

from pipeline.data import DatasetError, large_arrays
from pipeline.data.preprocessing import Reading, fitted, split
from pipeline.data.user.array_splits import read_splits

RNG = np.random.default_rng(0)
X = RNG.normal(5, 3, (30, 4))
Y = np.arange(30) % 3


def read(returned, **options):
    cut = {"validation_share": 0.1, "split_seed": 0}
    return read_splits(returned, "here", "made here", **cut, **options)


def pairs(x, y, cut=24):
    return (x[:cut], y[:cut]), (x[cut:], y[cut:])


def encoded(source, **options):
    reading = Reading(source.classes, source.scale, source.columns, **options)
    preprocessing = fitted(reading, source.train)
    return preprocessing, split(preprocessing, source.train)


def test_validation_is_cut_off_the_training_examples_of_each_class():
    source = read(pairs(X, Y))
    parts = (source.train, source.validation, source.test)
    assert [np.bincount(part.labels).tolist() for part in parts] == [[7] * 3, [1] * 3, [2] * 3]
    rows = {row.tobytes() for part in parts for row in part.images}
    assert rows == {row.tobytes() for row in X}
    assert source.origin == "made here, divided as given, validation held out of train"


def test_a_dict_names_the_splits_and_the_classes():
    parts = {"train": (X[:18], Y[:18]), "val": (X[18:24], Y[18:24]), "test": (X[24:], Y[24:])}
    source = read({**parts, "classes": ["a", "b", "c"]})
    assert source.classes == ("a", "b", "c")
    np.testing.assert_array_equal(source.validation.images, X[18:24])


@pytest.mark.parametrize(
    ("labels", "names", "dtype"),
    [
        (Y, ("0", "1", "2"), "int64"),
        (Y[:, None], ("0", "1", "2"), "int64"),
        (Y * 10 - 5, ("-5", "5", "15"), "int64"),
        (Y.astype(np.uint8), ("0", "1", "2"), "int64"),
        ([("b", "a", "c")[y] for y in Y], ("a", "b", "c"), "int64"),
        (Y % 2 == 1, ("false", "true"), "int64"),
        (np.eye(3)[Y], ("0", "1", "2"), "int64"),
        (np.eye(3)[Y] + np.eye(3)[0], None, "float32"),
        (np.minimum(np.eye(3)[Y] + np.eye(3)[0], 1), ("label_0", "label_1", "label_2"), "uint8"),
        (Y * 0.5, ("target",), "float32"),
        (X[:, :2], ("target_0", "target_1"), "float32"),
    ],
)
def test_labels_have_the_forms_of_each_task(labels, names, dtype):
    source = read(pairs(X, labels))
    assert source.train.labels.dtype == dtype
    assert source.classes == (names or ("target_0", "target_1", "target_2"))


def test_a_given_task_decides_what_labels_mean():
    assert read(pairs(X, Y), task="regression").train.labels.dtype == np.float32
    one_hot = read(pairs(X, np.eye(3)[Y]), task="multilabel")
    assert (one_hot.train.labels.dtype, one_hot.train.labels.shape[1:]) == (np.uint8, (3,))


def test_numbers_are_standardized_by_the_training_examples():
    source = read(pairs(np.concatenate([X, np.full((30, 1), 7.1)], axis=1), Y))
    preprocessing, train = encoded(source, standardize=True)
    np.testing.assert_allclose(train.inputs[:, :4].mean(axis=0), 0, atol=1e-6)
    np.testing.assert_allclose(train.inputs[:, :4].std(axis=0), 1, atol=1e-5)
    assert (train.inputs[:, 4] == 0).all(), "a constant column"
    assert preprocessing.kind == "array"


def test_a_large_offset_loses_nothing():
    source = read(pairs(1_700_000_000 + X, Y))
    _, train = encoded(source, standardize=True)
    _, plain = encoded(read(pairs(X, Y)), standardize=True)
    np.testing.assert_allclose(train.inputs, plain.inputs, atol=1e-4)


@pytest.mark.parametrize(
    ("x", "kind", "shape", "dtype"),
    [
        (X, "array", (4,), "float32"),
        (X.reshape(30, 2, 2).astype(np.float16), "array", (2, 2), "float32"),
        (X > 5, "array", (4,), "float32"),
        (Y, "array", (), "int32"),
        (np.stack([Y, Y], axis=1), "array", (2,), "int32"),
        (RNG.integers(0, 256, (30, 5, 4), np.uint8), "image", (5, 4, 1), "float32"),
        (RNG.integers(0, 256, (30, 5, 4, 3), np.uint8), "image", (5, 4, 3), "float32"),
        ([f"word {y}" for y in Y], "text", (2,), "int32"),
        (np.array([f"word {y}" for y in Y]), "text", (2,), "int32"),
    ],
)
def test_the_kind_follows_from_the_array(x, kind, shape, dtype):
    preprocessing, train = encoded(read(pairs(x, Y)))
    assert (preprocessing.kind, train.inputs.shape[1:], train.inputs.dtype) == (kind, shape, dtype)
    assert train.inputs.max() <= 30


def test_a_data_frame_is_a_table():
    import pandas as pd

    frame = pd.DataFrame(X, columns=["a", "b", "c", "d"])
    preprocessing, train = encoded(read(pairs(frame, Y)))
    assert (preprocessing.kind, preprocessing.columns) == ("table", ("a", "b", "c", "d"))
    assert train.inputs.shape == (21, 4)


def test_several_inputs_are_read_by_name():
    def cut(part):
        return {"row": X[part], "text": [f"word {y}" for y in Y][part]}, Y[part]

    preprocessing, train = encoded(read((cut(slice(24)), cut(slice(24, None)))))
    assert preprocessing.kind == "inputs"
    assert {name: one.shape for name, one in train.inputs.items()} == {
        "row": (21, 4),
        "text": (21, 2),
    }


def changed(value, *place):
    x = X.copy()
    x[place] = value
    return x


@pytest.mark.parametrize(
    ("returned", "sentence"),
    [
        (None, "here: NoneType: expected ((x_train, y_train), (x_test, y_test)), or a dict"),
        ((X, Y, X), "here: a tuple of 3: expected ((x_train, y_train)"),
        ((X, (X, Y)), "here: train is ndarray of shape (30, 4): expected inputs and labels"),
        ({"train": (X, Y), "tests": (X, Y)}, "here: a dict with train, tests: expected"),
        ({"train": (X, Y), "val": (X, Y), "valid": (X, Y)}, "a dict with train, val, valid:"),
        (((X, Y[:7]), (X, Y)), "here: train has 30 inputs and 7 labels: expected as many."),
        (((X, Y), (X[:0], Y[:0])), "here: test has no examples: expected at least one."),
        (((X, Y), (X[:, :3], Y)), "train has numbers of shape (N, 4), but test numbers of shape"),
        (((X, Y), (X.astype(int), Y)), "but test whole numbers of shape (N, 4): expected the"),
        (pairs(changed(np.nan, 5, 2), Y), "here: train input, example 5 is nan at [2]: expected"),
        (pairs(changed(1e39, 25, 0), Y), "here: test input, example 1 is 1e+39 at [0]: expected"),
        (pairs(np.full(30, 2**40), Y), "example 0 is 1099511627776: expected finite numbers that"),
        (pairs(np.array([None] * 30), Y), "train input is ndarray of shape (24,) of object"),
        (((["a b"] * 29 + [" "], Y), (["a"], [0])), "train input, example 29 is ' ': expected"),
        ((([*X.tolist()[:-1], [1]], Y), (X, Y)), "here: train input is not an array: "),
        (((X, np.zeros((30, 2, 2))), (X, Y)), "train labels are float64 of shape (30, 2, 2)"),
        (((X, Y), (X, Y * 0.5)), "train labels are int64 of shape (30,), but test labels float64"),
        (((X, Y * np.nan), (X, Y * 0.5)), "train example 0 has the label nan: expected a finite"),
        (((X, np.stack([Y, Y], 1)), (X, np.stack([Y, Y], 1))), "of shape (N, K) other than 0 and"),
        (((X, Y * 0), (X, Y * 0)), "here has 1 class ('0'): expected at least 2."),
        (((X, Y), (X[:2], Y[:2])), "here has no test example of the class '2': expected"),
        ({"train": (X, Y), "test": (X, Y), "classes": "ab"}, "here: classes is 'ab': expected a"),
        (
            {"train": (X, Y), "test": (X, Y), "classes": ["a", "b"]},
            "here: train example 2 has the label 2: expected the index of a class, 0 to 1.",
        ),
        (
            {"train": (X, X), "test": (X, X), "classes": ["a"]},
            "here: 1 names (a) are given for 4 columns of labels: expected one name per column.",
        ),
        (({}, Y), "here: train is dict: expected inputs and labels, (x, y)."),
        ((({}, Y), (X, Y)), "here: train inputs are a dict with []: expected named arrays."),
    ],
)
def test_what_cannot_be_trained_on_is_one_sentence(returned, sentence):
    with pytest.raises(DatasetError) as refused:
        read(returned)
    assert sentence in str(refused.value)
    assert "\n" not in str(refused.value)


def test_arrays_past_a_size_are_mapped_and_encoded_alike(monkeypatch):
    images = RNG.integers(0, 256, (30, 8, 8), np.uint8)
    _, plain = encoded(read(pairs(images, Y)))
    monkeypatch.setattr(large_arrays, "LARGE", 1000)
    monkeypatch.setattr(large_arrays, "AT_ONCE", 300)
    _, mapped = encoded(read(pairs(images, Y)))
    assert isinstance(mapped.inputs, np.memmap)
    assert mapped.fingerprint == plain.fingerprint
    series = X.reshape(30, 2, 2)
    assert [encoded(read(pairs(x, Y)), standardize=True)[1].fingerprint for x in (series, X)] == [
        encoded(read(pairs(x.copy(), Y)), standardize=True)[1].fingerprint for x in (series, X)
    ]
