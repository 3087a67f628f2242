import shutil
from urllib.parse import urlsplit

import pytest

import scratch_forward
from tests.support.commands import call


def test_weights_are_downloaded_and_verified(sweep, tmp_path):
    run = sweep.runs[0]
    to = tmp_path / "here"
    done = call("pipeline.fetch", f"run_id={run.info.run_id}", f"to={to}", cwd=sweep.folder)
    assert done.returncode == 0, done.stderr
    assert "parity card passed" in " ".join(done.stdout.split())  # a long path wraps the line
    answer = scratch_forward.Classifier.load(to / "weights", verify=True)(["enak"])[0]
    assert answer.class_name in ("negative", "neutral", "positive")


def test_weights_that_fail_their_card_are_not_kept(sweep, spoiled, tmp_path):
    run, other = spoiled.runs[0], sweep.runs[1]
    place = urlsplit(run.info.artifact_uri).path + "/weights/model.keras"
    shutil.copy(place, tmp_path / "kept")
    shutil.copy(urlsplit(other.info.artifact_uri).path + "/weights/model.keras", place)
    to = tmp_path / "here"
    done = call("pipeline.fetch", f"run_id={run.info.run_id}", f"to={to}", cwd=spoiled.folder)
    shutil.copy(tmp_path / "kept", place)
    assert done.returncode == 1
    assert "weights/model.keras is not the file that was stored" in done.stderr
    assert not to.exists()


@pytest.mark.parametrize(
    ("arguments", "sentence"),
    [
        (["to=x"], "run_id=... is needed."),
        (["run_id=abc"], "to=... is needed."),
        (["run_id=abc", "to=mlruns"], "to=mlruns exists and is not an empty folder; name another."),
        (["run_id=abc", "to=new"], "run_id=abc is not a run in sqlite:///"),
    ],
)
def test_a_faulty_command_is_one_sentence(sweep, arguments, sentence):
    done = call("pipeline.fetch", *arguments, cwd=sweep.folder)
    assert done.returncode == 2
    assert done.stderr.startswith(sentence)
    assert not (sweep.folder / "new").exists()
