import sys

import pytest

from pipeline.data.evaluation_data import load_labelled
from pipeline.errors import DatasetError
from scratch_forward.preprocessing import ImagePreprocessing, TablePreprocessing, TextPreprocessing

FUNCTIONS = """
import numpy as np

X = np.arange(8, dtype="f4").reshape(4, 2)


def arrays(labels, classes=None):
    pair = X, np.asarray(labels)
    return {"train": pair, "validation": pair, "test": pair} | (
        {"classes": classes} if classes else {}
    )


def named():
    return arrays([0, 1, 1, 0], ["yes", "no"])


def flags():
    return arrays([[0, 1], [1, 1], [1, 0], [0, 0]], ["b", "a"])


def numbers():
    return arrays([0.5, 1.5, 2.5, 3.5])
"""


@pytest.fixture
def read(tmp_path, monkeypatch):
    """Read a part of a data set for a preprocessing."""
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr(sys, "path", [str(tmp_path), *sys.path])
    (tmp_path / "given_data.py").write_text(FUNCTIONS)

    def labelled(name, preprocessing, task="multiclass", part="test", **options):
        if ":" in name:
            options = {"validation_share": 0.1, "split_seed": 0, "padding": "post"} | options
            del options["padding"]
        options = {"name": name, **options}
        return load_labelled(options, part, preprocessing, task, "data")

    return labelled


def table(*classes, columns=("a", "b")):
    return TablePreprocessing(columns, (), (), classes)


def csv(path, **options):
    columns = {"text_column": "text", "label_column": "label"}
    shares = {"validation_share": 0.1, "test_share": 0.2, "split_seed": 0}
    return {"path": str(path), **columns, **shares, **options}


def test_labels_follow_the_order_of_the_runs_classes(read):
    labels = read("given_data:named", table("no", "yes")).split.labels
    assert labels.tolist() == [1, 0, 0, 1]
    columns = read("given_data:flags", table("a", "b"), "multilabel").split.labels
    assert columns.tolist() == [[1, 0], [1, 1], [0, 1], [0, 0]]


@pytest.mark.parametrize(
    ("name", "classes", "task", "reason"),
    [
        ("named", ("no", "maybe"), "multiclass", "the classes are yes, no, but those of the run"),
        ("numbers", ("no", "yes"), "multiclass", "the labels are regression, but the run is multi"),
        ("numbers", ("price", "age"), "regression", "1 targets, but the run predicts 2"),
        ("flags", ("a", "c"), "multilabel", "the classes are b, a"),
    ],
)
def test_other_labels_are_refused(read, name, classes, task, reason):
    with pytest.raises(DatasetError, match=reason):
        read(f"given_data:{name}", table(*classes), task)


def test_a_file_is_used_as_a_whole_with_the_columns_of_the_run(read, tmp_path):
    file = tmp_path / "new.csv"
    file.write_text("b,a,c,label\n1,2,x,no\n3,4,x,no\n")
    found = read("csv", table("no", "yes"), **csv(file))
    assert found.split.inputs.tolist() == [[2, 1], [4, 3]]
    assert found.split.labels.tolist() == [0, 0]
    assert found.origin == "new.csv, not divided"
    with pytest.raises(DatasetError, match="columns are b, a, but the run reads a, b"):
        read("csv", table("no", "yes"), **csv(file, features=["b", "a"]))
    with pytest.raises(DatasetError, match="there is no train example"):
        read("csv", table("no", "yes"), part="train", **csv(file))


def test_a_column_of_splits_is_respected(read, tmp_path):
    file = tmp_path / "new.csv"
    file.write_text("a,b,label,part\n1,2,no,train\n3,4,yes,test\n")
    found = read("csv", table("no", "yes"), **csv(file, split_column="part"))
    assert found.split.inputs.tolist() == [[3, 4]]
    assert found.origin == "new.csv, divided as given"


@pytest.mark.parametrize(
    ("name", "preprocessing", "reason"),
    [
        ("digits", ImagePreprocessing((8, 8, 1), 1 / 255, tuple("0123456789")), "0 to 16"),
        ("digits", ImagePreprocessing((9, 9, 1), 1 / 16, tuple("0123456789")), "expected uint8"),
        ("digits", TextPreprocessing(("", "[UNK]"), 3, "post", ("a", "b")), "the run reads texts"),
    ],
)
def test_inputs_that_the_preprocessing_would_misread_are_refused(read, name, preprocessing, reason):
    with pytest.raises(DatasetError, match=reason):
        read(name, preprocessing)
