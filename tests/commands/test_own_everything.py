"""Someone who has installed the package brings a model, data and a study of their own."""

import os
import signal
import subprocess
import sys

import mlflow
import numpy as np
import pytest

from pipeline.tracking.store import open_local
from tests.support.commands import IN_PROCESS, environment
from tests.support.installed import call_installed
from tests.support.sweeps import wait_for_checkpoint

pytestmark = pytest.mark.slow

MINE = '''
import keras
import numpy as np
import pipeline


def regressor(data: pipeline.DataSpec, *, width: int = 4) -> keras.Model:
    """One hidden layer."""
    return keras.Sequential(
        [
            keras.Input(data.input_shape),
            keras.layers.Dense(width, "relu"),
            keras.layers.Dense(data.outputs),
        ]
    )


def plane(*, noise: float = 0.1):
    """Points on a plane, and noise."""
    generator = np.random.default_rng(0)
    x = generator.normal(size=(240, 3)).astype("float32")
    y = (x @ [1.0, -2.0, 0.5] + noise * generator.normal(size=240)).astype("float32")
    return (x[:200], y[:200]), (x[200:], y[200:])


def verdicts():
    """Short texts, good and bad."""
    texts = [f"{word} {place}" for place in range(30) for word in ("good", "bad")]
    labels = np.arange(60) % 2
    return (texts[:48], labels[:48]), (texts[48:], labels[48:])
'''
STUDY = """
# @package _global_
defaults:
  - override /dataset: mine:plane
  - override /model: mine:regressor
  - _self_
experiment: widths
epochs: 2
hydra:
  sweeper:
    params:
      width: 1,8
      seed: range(3)
study:
  name: widths
  question: How wide must the hidden layer be?
  words:
    width: "{} units"
"""
NUMPY_ALONE = """
import sys
sys.modules.update(dict.fromkeys(["tensorflow", "keras", "mlflow", "pipeline"]))
import numpy as np
import scratch_forward
print(scratch_forward.load(sys.argv[1]).predict(np.ones((1, 3), np.float32))[0, 0])
"""


@pytest.fixture
def folder(tmp_path):
    (tmp_path / "mine.py").write_text(MINE)
    study = tmp_path / "my_conf" / "study" / "widths.yaml"
    study.parent.mkdir(parents=True)
    study.write_text(STUDY.lstrip())
    return tmp_path


def runs_in(folder, experiment):
    client = open_local(folder).client
    found = client.get_experiment_by_name(experiment)
    runs = client.search_runs([found.experiment_id])
    return [run for run in runs if run.data.tags.get("kind") != "sweep"]


def test_from_an_empty_folder_to_a_registered_model(installed, folder, monkeypatch):
    sweep = ["-m", "model=mine:regressor", "dataset=mine:plane", "width=2,3"]
    sweep += ["epochs=30", "experiment=mine"]
    killed = subprocess.Popen(
        [sys.executable, "-m", "pipeline.train", *sweep],
        cwd=folder,
        env=environment(PYTHONPATH=str(installed)),
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
        start_new_session=True,
    )
    wait_for_checkpoint(folder)
    os.killpg(killed.pid, signal.SIGKILL)
    killed.wait()

    call_installed(installed, folder, "pipeline.train", *sweep)
    runs = [run for run in runs_in(folder, "mine") if run.info.status == "FINISHED"]
    assert sorted(run.data.params["width"] for run in runs) == ["2", "3"]
    assert {run.data.tags["parity"] for run in runs} <= {"exact", "close"}
    assert {run.data.params["dataset"] for run in runs} == {"mine:plane"}
    run_id = runs[0].info.run_id

    monkeypatch.chdir(folder)
    mlflow.set_tracking_uri(open_local(folder).uri)
    version = mlflow.register_model(f"runs:/{run_id}/model", "plane").version
    served = mlflow.pyfunc.load_model(f"models:/plane/{version}")
    weights = mlflow.artifacts.download_artifacts(f"runs:/{run_id}/weights", dst_path=folder)
    alone = subprocess.run(
        [sys.executable, "-c", NUMPY_ALONE, f"{weights}/model.keras"],
        env=environment(PYTHONPATH=str(installed)),
        capture_output=True,
        text=True,
        check=True,
    )
    assert np.isfinite(float(alone.stdout))
    (answer,) = served.predict(served.input_example)
    assert np.isfinite([*answer["values"].values()]).all()


def test_a_study_of_ones_own_compares_its_settings_over_seeds(installed, folder):
    options = ["--config-dir", "my_conf", "+study=widths", *IN_PROCESS]
    out = call_installed(installed, folder, "pipeline.train", "-m", *options)
    assert "How wide must the hidden layer be?" in out
    assert len(runs_in(folder, "widths")) == 6
    assert list(folder.glob("mlruns/artifacts/**/report/report.html"))


@pytest.mark.long  # README's commands train one, and other tests are on own texts
def test_a_transformer_on_texts_of_ones_own(installed, folder):
    options = [
        "model=transformer",
        "dataset=mine:verdicts",
        "epochs=2",
        "embedding_dim=8",
        "heads=2",
        *IN_PROCESS,
    ]
    call_installed(installed, folder, "pipeline.train", *options, "experiment=texts")
    (run,) = runs_in(folder, "texts")
    assert run.data.tags["parity"] in ("exact", "close")
    answer = call_installed(
        installed, folder, "pipeline.predict", f"run_id={run.info.run_id}", "good 3"
    )
    assert answer.strip()
