import json
import re
import shutil
import subprocess
import sys
from pathlib import Path
from urllib.parse import urlsplit

import mlflow
import pytest

from pipeline.tracking import names
from pipeline.tracking.artifacts import digest
from tests.support.block_tensorflow import BLOCK
from tests.support.commands import call, environment, serve


@pytest.fixture
def copy(spoiled, tmp_path_factory):
    """A run that may be spoiled; its artifacts and tags are put back."""
    run = spoiled.runs[0]
    place = urlsplit(run.info.artifact_uri).path
    kept = tmp_path_factory.mktemp("kept") / "artifacts"
    shutil.copytree(place, kept)
    yield run, spoiled.folder, place
    shutil.rmtree(place)
    shutil.copytree(kept, place)
    for name in (names.PARITY, names.FINGERPRINTS):
        spoiled.store.client.set_tag(run.info.run_id, name, run.data.tags[name])


def tags_of(sweep, run):
    return sweep.store.client.get_run(run.info.run_id).data.tags


def check(run, folder, *arguments, **changes):
    return call("pipeline.parity", f"run_id={run.info.run_id}", *arguments, cwd=folder, **changes)


@pytest.mark.slow  # a process of its own has to import MLflow
def test_a_run_is_checked_again_without_tensorflow(sweep):
    run = sweep.runs[0]
    code = BLOCK + "from pipeline.parity import main; main()"
    done = subprocess.run(
        [sys.executable, "-c", code, f"run_id={run.info.run_id}"],
        cwd=sweep.folder,
        env=environment(),
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    assert "units=4" in done.stdout
    assert "exact" in done.stdout


def test_a_check_writes_the_runs_page_anew(copy, spoiled):
    run, folder, place = copy
    page = Path(place) / "report.html"
    assert "<b>exact</b>" in page.read_text()
    page.unlink()
    spoiled.store.client.set_tag(
        run.info.run_id, names.FINGERPRINTS, json.dumps({"test": "0" * 16})
    )
    assert check(run, folder).returncode == 1
    assert "<b>stale</b>" in page.read_text()
    assert "Parity stale: the test set of dataset=reviews has changed" in page.read_text()


def test_a_diagnosis_compares_layer_by_layer(sweep):
    run = sweep.runs[1]
    done = check(run, sweep.folder, "diagnose=true")
    assert done.returncode == 0, done.stderr
    assert "No layer differs" in done.stdout
    table = mlflow.artifacts.load_text(f"{run.info.artifact_uri}/parity/diagnosis.csv")
    kinds = [line.split(",")[1] for line in table.splitlines()]
    assert kinds == ["kind", "Embedding", "Bidirectional", "Dropout", "Dense"]


def test_all_of_an_experiment_are_checked(sweep):
    done = call("pipeline.parity", "experiment=reviews", cwd=sweep.folder)
    assert done.returncode == 0, done.stderr
    assert done.stdout.count("exact") == 3


def test_other_weights_diverge(sweep, spoiled, copy):
    run, folder, place = copy
    other = urlsplit(sweep.runs[1].info.artifact_uri).path
    shutil.copy(f"{other}/weights/model.keras", f"{place}/weights/model.keras")
    manifest = Path(place) / "manifest.json"  # put right, or it would tell already
    listed = json.loads(manifest.read_text())
    listed["weights/model.keras"] = digest(Path(place) / "weights/model.keras")
    manifest.write_text(json.dumps(listed))
    done = check(run, folder)
    assert done.returncode == 1
    assert "diverged" in done.stdout
    assert tags_of(spoiled, run)["parity"] == "diverged"
    assert re.match(
        r"probabilities differ by up to \S+, \d+ of 600 examples get the same class, F1 differs by",
        tags_of(spoiled, run)["parity.reason"],
    )


def test_a_corrupted_archive_fails_and_says_how(spoiled, copy):
    run, folder, place = copy
    with Path(f"{place}/weights/model.keras").open("r+b") as archive:
        archive.truncate(2000)
    done = check(run, folder)
    assert done.returncode == 1
    assert "failed" in done.stdout
    assert "weights/model.keras" in tags_of(spoiled, run)["parity.reason"]


def test_a_missing_artifact_fails_and_says_which(spoiled, copy):
    run, folder, place = copy
    shutil.rmtree(f"{place}/predictions")
    done = check(run, folder)
    assert done.returncode == 1
    assert tags_of(spoiled, run)["parity"] == "failed"
    assert "predictions" in tags_of(spoiled, run)["parity.reason"]


def test_another_test_set_is_stale(spoiled, copy):
    run, folder, _ = copy
    spoiled.store.client.set_tag(
        run.info.run_id, names.FINGERPRINTS, json.dumps({"test": "0" * 16})
    )
    done = check(run, folder)
    assert done.returncode == 1
    assert "stale" in done.stdout
    assert "the test set of dataset=reviews has changed since the run" in done.stdout


@pytest.mark.parametrize(
    ("arguments", "sentence"),
    [
        ([], "run_id=..., sweep=... or experiment=... is needed; run_id may be latest or best."),
        (["run_id=1", "experiment=2"], "experiment=2 is not in sqlite:///"),
        (["run_id=351e97"], "run_id=351e97 is not a run in sqlite:///"),
        (["runid=1"], "`runid` is not an option of this command (did you mean `run_id`?)."),
        (["run_id=abc"], "run_id=abc is not a run in sqlite:///"),
        (["experiment=nothing"], "experiment=nothing is not in sqlite:///"),
        (["run_id=a", "tracking=foo"], "tracking=foo must be local or server."),
        (
            ["run_id=a", "tracking=server", "tracking.uri=http://127.0.0.1:9"],
            "tracking.uri=http://",
        ),
    ],
)
def test_a_faulty_command_is_one_sentence(sweep, arguments, sentence):
    done = call("pipeline.parity", *arguments, cwd=sweep.folder)
    assert done.returncode == 2
    assert done.stderr.startswith(sentence)
    assert len(done.stderr.splitlines()) == 1


@pytest.mark.slow
@pytest.mark.long  # test_ui downloads the weights, too
def test_weights_downloaded_from_the_ui_predict_without_tensorflow(sweep, tmp_path):
    """What a person does: `mlflow ui`, the download button, NumPy."""
    run = sweep.runs[0]
    with serve(tmp_path, sweep.store.uri) as address:
        listed = mlflow.MlflowClient(address).search_runs([run.info.experiment_id])
        assert len(listed) == 4  # the sweep's own among them
        for name in ("model.keras", "preprocessing.json"):
            download(address, run.info.run_id, f"weights/{name}", tmp_path / name)
    code = BLOCK + (
        "import json, scratch_forward;"
        "words = json.load(open('preprocessing.json'));"
        "read = scratch_forward.TextVectorization(vocabulary=words['vocabulary'],"
        " output_sequence_length=words['sequence_length']);"
        "model = scratch_forward.load('model.keras');"
        "print(json.dumps(model.predict(read(['makanannya enak sekali'])).tolist()))"
    )
    done = subprocess.run(
        [sys.executable, "-c", code],
        cwd=tmp_path,
        env=environment(),
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    (probabilities,) = json.loads(done.stdout)
    assert sum(probabilities) == pytest.approx(1, abs=1e-6)


def download(address, run_id, path, to):
    import requests

    answer = requests.get(
        f"{address}/get-artifact", params={"path": path, "run_uuid": run_id}, timeout=30
    )
    answer.raise_for_status()
    to.write_bytes(answer.content)
