"""A user's own arrays and own model, from an empty folder and one command to every use of a run."""

import mlflow
import numpy as np
import pytest

from tests.support.commands import Sweep, call
from tests.support.my_data import write_data

MODEL = """
import keras
import pipeline


def net(data: pipeline.ArraySpec, *, width: int = 4) -> keras.Model:
    return keras.Sequential(
        [
            keras.Input(data.input_shape, dtype=data.dtype),
            keras.layers.Conv1D(width, 3, activation="relu"),
            keras.layers.GlobalMaxPooling1D(),
            keras.layers.Dense(data.outputs, activation="softmax"),
        ]
    )
"""


@pytest.mark.slow
def test_own_arrays_are_swept_with_an_own_model_proven_and_answered(tmp_path):
    write_data(tmp_path)
    (tmp_path / "my_net.py").write_text(MODEL, encoding="utf-8")
    data = ["dataset=my_data:load", "dataset.shape=series", "dataset.standardize=true"]
    done = call("pipeline.train", "model=my_net:net", "width=2,4", *data, "epochs=2", cwd=tmp_path)
    assert done.returncode == 0, done.stdout + done.stderr
    assert done.stdout.count("exact") == 2
    run, *_ = runs = Sweep(tmp_path, done).runs
    assert {one.data.params["width"] for one in runs} == {"2", "4"}
    assert run.data.params["dataset"] == "my_data:load"
    assert run.data.params["dataset.shape"] == "series"
    stored = Sweep(tmp_path, done).store.client.list_artifacts(run.info.run_id, "code")
    assert {item.path for item in stored} == {
        f"code/{name}.py" for name in ("my_data", "my_labels", "my_net")
    }

    raw = np.random.default_rng(0).normal(0, 0.5, (2, 4, 3))
    np.save(tmp_path / "raw.npy", raw)
    asked = call("pipeline.predict", f"run_id={run.info.run_id}", "raw.npy", cwd=tmp_path)
    lines = [line.split("\t") for line in asked.stdout.splitlines()]
    assert [line[2] for line in lines] == ["raw.npy[0]", "raw.npy[1]"], asked.stderr
    mlflow.set_tracking_uri(f"sqlite:///{tmp_path}/mlruns/mlflow.db")
    served = mlflow.pyfunc.load_model(f"runs:/{run.info.run_id}/model").predict(raw)
    assert [one["class"] for one in served] == [line[0] for line in lines]


def test_a_function_that_fails_leaves_nothing_behind(tmp_path):
    write_data(tmp_path)
    before = {path.name for path in tmp_path.iterdir()}
    command = ["model=mlp", "dataset=faulty_data:lengths"]
    done = call("pipeline.train", *command, cwd=tmp_path)
    assert done.returncode == 2
    assert done.stderr.splitlines() == [
        "what dataset=faulty_data:lengths returns: train has 4 inputs and 3 labels: expected as "
        "many."
    ]
    assert {path.name for path in tmp_path.iterdir()} - before <= {"__pycache__"}
