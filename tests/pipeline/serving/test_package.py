"""The MLflow model of a run answers raw rows, images and arrays as the classifier does."""

import json

import mlflow
import numpy as np
import pandas as pd
import pytest

import scratch_forward as sf
from pipeline.serving.package import save_served_model
from scratch_forward import Classifier
from scratch_forward.card import write_card
from scratch_forward.preprocessing import (
    ArrayPreprocessing,
    ImagePreprocessing,
    InputsPreprocessing,
    TablePreprocessing,
)
from tests.support import archives

CLASSES = ("low", "high")
TABLE = TablePreprocessing(("age", "size"), (30.0, 2.0), (10.0, 0.5), CLASSES)
IMAGE = ImagePreprocessing((1, 2, 1), 1 / 255, CLASSES)
IDS = ArrayPreprocessing((2,), "int32", (), (), CLASSES)
ROWS = [[80.0, 2.0], [30.0, 9.0]]


def write_weights(folder, reading):
    """Write a model whose classes are more probable the larger the first and second number."""
    layers = [
        archives.entry("Flatten", {"name": "f"}),
        archives.entry("Dense", {"units": 2, "activation": "softmax", "name": "d"}),
    ]
    weights = {"layers/dense/vars/0": np.eye(2), "layers/dense/vars/1": np.zeros(2)}
    config = archives.sequential(*layers, shape=(None, *reading.input_shape))
    files = {
        "config.json": json.dumps(config),
        "model.weights.h5": archives.weights({k: v.astype("f4") for k, v in weights.items()}),
        "metadata.json": "{}",
    }
    model = sf.load(archives.write(folder / "model.keras", files))
    (folder / "preprocessing.json").write_text(reading.to_json(), encoding="utf-8")
    write_card(folder / "model.keras", model, lambda x: model.predict(x[0]), {}, reading)


@pytest.mark.parametrize(
    ("reading", "asked", "raw"),
    [
        (TABLE, pd.DataFrame(ROWS, columns=["age", "size"])[["size", "age"]], np.array(ROWS)),
        (IMAGE, *[np.array(ROWS, np.uint8).reshape(2, 1, 2, 1)] * 2),
        (IDS, *[np.array(ROWS, np.int32)] * 2),
    ],
    ids=["table", "image", "ids"],
)
def test_raw_input_is_answered_as_by_the_classifier(reading, asked, raw, tmp_path):
    (tmp_path / "weights").mkdir()
    write_weights(tmp_path / "weights", reading)
    save_served_model(tmp_path / "model", tmp_path / "weights", reading)
    answers = mlflow.pyfunc.load_model(str(tmp_path / "model")).predict(asked)
    expected = Classifier.load(tmp_path / "weights")(raw)
    assert [one["class"] for one in answers] == [one.class_name for one in expected]


def test_the_signature_names_each_of_several_inputs(tmp_path):
    (tmp_path / "weights").mkdir()
    write_weights(tmp_path / "weights", TABLE)
    several = InputsPreprocessing({"row": TABLE, "image": IMAGE}, CLASSES)
    save_served_model(tmp_path / "model", tmp_path / "weights", several)
    schema = mlflow.models.get_model_info(str(tmp_path / "model")).signature.inputs
    assert {one.name: one.shape for one in schema} == {"row": (-1, 2), "image": (-1, 1, 2, 1)}
