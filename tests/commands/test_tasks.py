"""Two tasks on the same file in one command, from training to every use of a run."""

from types import SimpleNamespace

import mlflow
import pandas as pd
import pytest

from pipeline.reports.study.reading import read_text
from pipeline.tracking import names
from pipeline.tracking.artifacts import local_folder
from pipeline.tracking.store import open_local
from pipeline.tracking.tracked_run import TrackedRun
from pipeline.verification.check import verify_run
from scratch_forward import Classifier
from tests.support.commands import IN_PROCESS, call

pytestmark = pytest.mark.slow


@pytest.fixture(scope="module")
def sweep(tmp_path_factory):
    """One file of texts whose labels 0 and 1 are two classes, or numbers."""
    folder = tmp_path_factory.mktemp("tasks")
    rows = [f"kata{number % 2} nomor {number},{number % 2}" for number in range(120)]
    (folder / "texts.csv").write_text("\n".join(["text,label", *rows]), encoding="utf-8")
    options = ["dataset=csv", "dataset.path=texts.csv", "model=gru", "units=4", "embedding_dim=8"]
    options += ["bidirectional=false", "mask=true", "epochs=6", "learning_rate=0.03", *IN_PROCESS]
    done = call("pipeline.train", "task=binary,regression", *options, cwd=folder)
    assert done.returncode == 0, done.stdout + done.stderr
    store = open_local(folder)
    ids = [one.experiment_id for one in store.client.search_experiments()]
    runs = store.client.search_runs(ids, "tags.task LIKE '%'")
    by_task = {run.data.tags["task"]: run for run in runs}
    return SimpleNamespace(folder=folder, done=done, store=store, runs=by_task)


def test_both_tasks_are_learned_and_proven(sweep):
    assert set(sweep.runs) == {"binary", "regression"}
    for run in sweep.runs.values():
        assert run.data.tags["parity"] == "exact"
        assert run.data.tags["degenerate"] == "no"
    assert sweep.runs["binary"].data.metrics["test/f1_macro"] == 1
    regression = sweep.runs["regression"].data.metrics
    assert regression["test/r2"] > 0.8
    assert regression["baseline/mean_r2"] == pytest.approx(0, abs=0.05)
    assert {"mae/train", "best/mae_validation", "parity/r2_delta"} <= set(regression)
    assert not [name for name in regression if "accuracy" in name or "f1" in name]
    assert "val acc" in sweep.done.stdout
    assert "val MAE" in sweep.done.stdout


def test_the_regression_is_checked_again_from_what_is_stored(sweep):
    run = TrackedRun(sweep.store.client, sweep.runs["regression"].info.run_id)
    parity = verify_run(run, "data")
    assert parity.tag == "exact"
    assert parity.agreement.scores["r2"].delta < 5e-7
    assert "residual" in read_text(run.client, run.run_id, names.PARITY_RESIDUALS)
    page = read_text(run.client, run.run_id, names.PAGE)
    assert "Residuals of the test examples" in page
    assert "Largest errors" in page


@pytest.mark.parametrize(
    ("task", "answer"), [("binary", {"class", "probabilities"}), ("regression", {"values"})]
)
def test_each_run_answers_by_its_task(sweep, task, answer):
    uri = sweep.runs[task].info.artifact_uri
    classifier = Classifier.load(local_folder(uri) / names.WEIGHTS, verify=True)
    assert classifier.preprocessing_proven
    no, yes = classifier(["kata0 nomor", "kata1 nomor"])
    if task == "binary":
        assert (no.class_name, yes.class_name) == ("0", "1")
    else:
        assert no.values["label"] < 0.5 < yes.values["label"]
    (served,) = mlflow.pyfunc.load_model(f"{uri}/model").predict(
        pd.DataFrame({"text": ["kata1 nomor"]})
    )
    assert set(served) == answer
    assert served == yes.document
