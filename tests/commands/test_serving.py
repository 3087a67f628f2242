import json
import os
import subprocess
import sys
import time
from pathlib import Path

import numpy as np
import pytest
import requests

from tests.support.block_tensorflow import BLOCK
from tests.support.commands import environment
from tests.support.ports import free_port


def answers_of(folder, run, ask):
    """What the run's MLflow model answers in a process where TensorFlow cannot be imported."""
    code = BLOCK.replace("'scipy.special'", "'pipeline'").replace(
        "del sys.modules['pipeline'];", ""
    )
    code += (
        "import json, mlflow, numpy as np, pandas as pd;"
        f"mlflow.set_tracking_uri('sqlite:///{folder}/mlruns/mlflow.db');"
        f"model = mlflow.pyfunc.load_model('runs:/{run.info.run_id}/model');"
        f"print(json.dumps(model.predict({ask})))"
    )
    done = subprocess.run(
        [sys.executable, "-W", "error:::predictor", "-c", code],
        cwd=folder,
        env=environment(MLFLOW_ENABLE_ARTIFACTS_PROGRESS_BAR="false"),
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    return json.loads(done.stdout)


@pytest.mark.slow  # a process of its own has to import MLflow
def test_raw_text_is_answered_without_tensorflow_or_the_pipeline(sweep):
    ask = "pd.DataFrame({'text': ['makanannya enak sekali', '']})"
    answers = answers_of(sweep.folder, sweep.runs[0], ask)
    assert len(answers) == 2
    for answer in answers:
        probabilities = answer["probabilities"]
        assert set(probabilities) == {"negative", "neutral", "positive"}
        assert answer["class"] == max(probabilities, key=probabilities.get)
        assert sum(probabilities.values()) == pytest.approx(1, abs=1e-5)


@pytest.mark.slow
def test_images_are_answered_as_keras_did(images):
    folder, run = images
    path = Path(run.info.artifact_uri.removeprefix("file://")) / "predictions/test.npz"
    from pipeline.data import load

    raw = np.rint(load("digits", data_dir="none").test.inputs[:5] * 16).astype(np.uint8)
    answers = answers_of(folder, run, f"np.array({raw.tolist()}, np.uint8)")
    with np.load(path) as stored:
        expected = stored["probabilities"][:5]
    found = [[answer["probabilities"][str(digit)] for digit in range(10)] for answer in answers]
    assert np.abs(np.array(found) - expected).max() < 1e-6


@pytest.mark.slow
def test_mlflow_serves_a_run_over_http(sweep):
    port = free_port()
    binaries = f"{Path(sys.executable).parent}{os.pathsep}{os.environ['PATH']}"
    process = subprocess.Popen(
        [
            *[sys.executable, "-m", "mlflow", "models", "serve", "--env-manager", "local"],
            *["-m", f"runs:/{sweep.runs[0].info.run_id}/model", "--port", str(port)],
        ],
        cwd=sweep.folder,
        env=environment(MLFLOW_TRACKING_URI=sweep.store.uri, PATH=binaries),
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
        start_new_session=True,
    )
    try:
        address = f"http://127.0.0.1:{port}"
        wait_for(f"{address}/ping")
        asked = {"dataframe_split": {"columns": ["text"], "data": [["tidak enak"]]}}
        answer = requests.post(f"{address}/invocations", json=asked, timeout=30)
        assert answer.status_code == 200, answer.text
        assert answer.json()["predictions"][0]["class"] in ("negative", "neutral", "positive")
        asked["dataframe_split"]["columns"] = ["txt"]
        wrong = requests.post(f"{address}/invocations", json=asked, timeout=30)
        assert wrong.status_code == 400
    finally:
        os.killpg(process.pid, 15)
        process.wait(20)


def wait_for(address):
    for _ in range(240):
        try:
            if requests.get(address, timeout=1).ok:
                return
        except requests.RequestException:
            time.sleep(0.25)
    raise AssertionError(f"nothing answers at {address}")
