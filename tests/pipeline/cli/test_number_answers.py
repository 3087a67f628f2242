"""Questions of numbers: rows of a CSV file, and arrays in NumPy files."""

import csv
import io
import json

import numpy as np
import pytest

import scratch_forward as sf
from pipeline.cli.answers import answer
from pipeline.errors import DatasetError
from pipeline.settings import SettingsError
from scratch_forward import Classifier
from scratch_forward.preprocessing import (
    ArrayPreprocessing,
    ImagePreprocessing,
    PreprocessingError,
    TablePreprocessing,
)
from tests.support import archives

CLASSES = ("low", "high")
TABLE = TablePreprocessing(("age", "size"), (30.0, 2.0), (10.0, 0.5), CLASSES)
ARRAYS = ArrayPreprocessing((2,), "float32", (), (), CLASSES)


@pytest.fixture
def ask(tmp_path, monkeypatch, capsys):
    """Ask a model whose classes are more probable the larger the first and second number."""
    layers = [
        archives.entry("Flatten", {"name": "f"}),
        archives.entry("Dense", {"units": 2, "activation": "softmax", "name": "d"}),
    ]
    weights = {"layers/dense/vars/0": np.eye(2), "layers/dense/vars/1": np.zeros(2)}
    files = {
        "model.weights.h5": archives.weights({k: v.astype("f4") for k, v in weights.items()}),
        "metadata.json": "{}",
    }
    monkeypatch.chdir(tmp_path)

    def asked(reading, *words):
        shape = (None, *reading.input_shape)
        files["config.json"] = json.dumps(archives.sequential(*layers, shape=shape))
        model = sf.load(archives.write(tmp_path / "model.keras", files))
        answer(Classifier(model, reading), words)
        return capsys.readouterr().out

    return asked


def test_rows_of_a_table_are_answered_by_its_columns(ask, tmp_path):
    (tmp_path / "a.csv").write_text("name,size,age\nann,2,80\nbob,9,30\n")
    header, *rows = csv.reader(io.StringIO(ask(TABLE, "a.csv")))
    assert header == ["name", "size", "age", "class", *CLASSES]
    assert [row[:4] for row in rows] == [["ann", "2", "80", "low"], ["bob", "9", "30", "high"]]


def test_arrays_are_answered_by_file_and_number(ask, tmp_path):
    np.save(tmp_path / "a.npy", [[3, 0], [0, 3]])
    np.savez(tmp_path / "b.npz", x=[[1.5, 0]])
    lines = [line.split("\t") for line in ask(ARRAYS, "a.npy", "b.npz").splitlines()]
    assert [(line[0], line[2]) for line in lines] == [
        ("low", "a.npy[0]"),
        ("high", "a.npy[1]"),
        ("low", "b.npz[0]"),
    ]
    assert len(ask(TABLE, "a.npy").splitlines()) == 2
    np.save(tmp_path / "c.npy", np.zeros((3, 1, 2), np.uint8))
    image = ImagePreprocessing((1, 2, 1), 1 / 255, CLASSES)
    assert len(ask(image, "c.npy").splitlines()) == 3


@pytest.mark.parametrize(
    ("reading", "words", "error", "sentence"),
    [
        (TABLE, ["20"], SettingsError, "reads a table: expected CSV files with age, size."),
        (TABLE, ["old.csv"], DatasetError, "expected `age` and `size` among them"),
        (TABLE, ["empty.csv"], PreprocessingError, "Example 1, column `size` is nan"),
        (ARRAYS, ["3"], SettingsError, "reads arrays: expected .npy or .npz files, got 3."),
        (ARRAYS, ["two.npz"], SettingsError, "two.npz holds x, y: expected one array."),
        (ARRAYS, ["a.npy", "wide.npy"], SettingsError, "hold arrays of different shapes"),
        (ARRAYS, ["wide.npy"], PreprocessingError, r"expected numbers of shape \(N, 2\)"),
        (ARRAYS, ["scalar.npy"], SettingsError, r"scalar.npy holds arrays of shape \(\): exp"),
        (ARRAYS, ["none.npy"], DatasetError, "none.npy cannot be read as .npy"),
    ],
)
def test_other_questions_are_one_sentence(ask, tmp_path, reading, words, error, sentence):
    (tmp_path / "old.csv").write_text("age\n3\n")
    (tmp_path / "empty.csv").write_text("age,size\n3,4\n3,\n")
    np.savez(tmp_path / "two.npz", x=[1], y=[2])
    for name, array in (("a", [[1, 2]]), ("wide", [[1, 2, 3]]), ("scalar", 3)):
        np.save(tmp_path / f"{name}.npy", array)
    with pytest.raises(error, match=sentence):
        ask(reading, *words)
