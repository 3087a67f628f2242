import hashlib
import json
import math

import mlflow
import pytest

from pipeline.errors import PrunedError
from pipeline.tracking.artifacts import local_folder, missing
from pipeline.tracking.tracked_run import tracked_run


@pytest.fixture
def experiment_id(store):
    return store.experiment("test").experiment_id


def text_of(store, run, path):
    uri = store.client.get_run(run.run_id).info.artifact_uri
    return mlflow.artifacts.load_text(f"{uri}/{path}")


def test_what_is_logged_can_be_read_back(store, experiment_id):
    with tracked_run(store, experiment_id, "units=64", {"sweep": "s"}) as run:
        run.log_params({"units": 64, "filters": [16, 32], "mask": True})
        for step in (1, 2, 3):
            run.log_metrics({"loss/train": 1 / step}, step)
        run.log_text("hello", "notes/hello.txt")
        run.log_dataset("digits", "0123456789ab", "bundled")
        with run.artifact_folder("weights") as folder:
            (folder / "model.bin").write_bytes(b"123")
    stored = store.client.get_run(run.run_id)
    assert stored.info.status == "FINISHED"
    assert stored.info.run_name == "units=64"
    assert stored.data.params == {"units": "64", "filters": "[16, 32]", "mask": "True"}
    assert stored.data.tags["sweep"] == "s"
    history = store.client.get_metric_history(run.run_id, "loss/train")
    assert [(metric.step, metric.value) for metric in history] == [(1, 1), (2, 1 / 2), (3, 1 / 3)]
    assert text_of(store, run, "notes/hello.txt") == "hello"
    assert stored.inputs.dataset_inputs[0].dataset.name == "digits"
    assert [a.path for a in store.client.list_artifacts(run.run_id, "weights")] == [
        "weights/model.bin"
    ]


def test_an_exception_fails_the_run_and_its_traceback_is_kept(store, experiment_id):
    with (
        pytest.raises(ZeroDivisionError),
        tracked_run(store, experiment_id, "bad", {}) as run,
    ):
        run.log_metrics({"loss/train": math.nan}, 1)
        1 / 0  # noqa: B018
    stored = store.client.get_run(run.run_id)
    assert stored.info.status == "FAILED"
    assert stored.info.end_time
    assert stored.data.tags["error"] == "ZeroDivisionError: division by zero"
    assert "1 / 0" in text_of(store, run, "error/traceback.txt")
    assert math.isnan(stored.data.metrics["loss/train"])


def test_an_interrupt_kills_the_run(store, experiment_id):
    with (
        pytest.raises(KeyboardInterrupt),
        tracked_run(store, experiment_id, "stopped", {}) as run,
    ):
        raise KeyboardInterrupt
    assert store.client.get_run(run.run_id).info.status == "KILLED"


@pytest.mark.parametrize("stored", [False, True], ids=["before it is stored", "after"])
def test_an_interrupt_that_falls_into_the_sending_of_a_metric_loses_and_doubles_none(
    store, experiment_id, monkeypatch, stored
):
    log_batch, interrupts = mlflow.MlflowClient.log_batch, [KeyboardInterrupt]

    def interrupted(client, run_id, metrics=(), **entries):
        if stored or not (metrics and interrupts):
            log_batch(client, run_id, metrics=metrics, **entries)
        if metrics and interrupts:
            raise interrupts.pop()

    monkeypatch.setattr(mlflow.MlflowClient, "log_batch", interrupted)
    with pytest.raises(KeyboardInterrupt), tracked_run(store, experiment_id, "x", {}) as run:
        run.log_metrics({"loss/train": 0.5}, 1)
        run.flush()
    assert interrupts == []
    history = store.client.get_metric_history(run.run_id, "loss/train")
    assert [(metric.step, metric.value) for metric in history] == [(1, 0.5)]


def test_a_pruned_run_is_killed_says_why_and_can_be_gone_on_with(store, experiment_id):
    with pytest.raises(PrunedError), tracked_run(store, experiment_id, "hopeless", {}) as run:
        run.log_metrics({"loss/train": 2.0}, 1)
        raise PrunedError("after epoch 1: hopeless")
    stored = store.client.get_run(run.run_id)
    assert stored.info.status == "KILLED"
    assert stored.data.tags["pruned"] == "after epoch 1: hopeless"
    assert stored.data.metrics["loss/train"] == 2
    assert "error" not in stored.data.tags
    with tracked_run(store, experiment_id, "hopeless", {}, resume=run.run_id):
        assert "pruned" not in store.client.get_run(run.run_id).data.tags


def test_files_of_a_failed_block_are_not_stored(store, experiment_id):
    with tracked_run(store, experiment_id, "run", {}) as run:
        with pytest.raises(OSError, match="full"), run.artifact_folder("weights") as folder:
            (folder / "half").write_text("")
            raise OSError("full")
        assert store.client.list_artifacts(run.run_id) == []


def test_a_run_that_is_taken_up_has_each_metric_once_a_step(store, experiment_id):
    with (
        pytest.raises(KeyboardInterrupt),
        tracked_run(store, experiment_id, "units=64", {}) as run,
    ):
        run.log_params({"units": 64})
        run.log_metrics({"loss/train": 0.9}, 1)
        run.log_metrics({"loss/train": 0.8}, 2)
        raise KeyboardInterrupt
    with tracked_run(store, experiment_id, "units=64", {}, resume=run.run_id) as again:
        assert store.client.get_run(run.run_id).info.status == "RUNNING"
        again.log_params({"units": 64})
        for step, value in ((1, 0.9), (2, 0.8), (3, 0.7)):
            again.log_metrics({"loss/train": value}, step)
    assert again.run_id == run.run_id
    assert store.client.get_run(run.run_id).info.status == "FINISHED"
    history = store.client.get_metric_history(run.run_id, "loss/train")
    assert [(metric.step, metric.value) for metric in history] == [(1, 0.9), (2, 0.8), (3, 0.7)]


def test_a_number_that_is_another_one_after_an_interruption_counts(store, experiment_id):
    with (
        pytest.raises(KeyboardInterrupt),
        tracked_run(store, experiment_id, "r", {}) as run,
    ):
        run.log_metrics({"loss/train": 0.9, "epoch_seconds": 1.5, "best/loss": float("nan")}, 1)
        run.log_metrics({"test/f1_macro": 0.5})
        raise KeyboardInterrupt
    with tracked_run(store, experiment_id, "r", {}, resume=run.run_id) as again:
        again.log_metrics({"loss/train": 0.8, "epoch_seconds": 1.7, "best/loss": float("nan")}, 1)
        again.log_metrics({"test/f1_macro": 0.6})
    last = store.client.get_run(run.run_id).data.metrics
    assert (last["loss/train"], last["test/f1_macro"], last["epoch_seconds"]) == (0.8, 0.6, 1.5)
    assert len(store.client.get_metric_history(run.run_id, "best/loss")) == 1


def test_a_failed_run_that_is_taken_up_is_failed_no_longer(store, experiment_id):
    with pytest.raises(OSError, match="full"), tracked_run(store, experiment_id, "r", {}) as run:
        raise OSError("full")
    with tracked_run(store, experiment_id, "r", {}, resume=run.run_id):
        pass
    assert "error" not in store.client.get_run(run.run_id).data.tags


def test_every_artifact_is_in_the_manifest_with_its_digest(store, experiment_id):
    with tracked_run(store, experiment_id, "run", {}) as run:
        run.log_text("hello", "notes/hello.txt")
        with run.artifact_folder("weights") as folder:
            (folder / "model.bin").write_bytes(b"123")
    listed = json.loads(text_of(store, run, "manifest.json"))
    assert listed == {
        "notes/hello.txt": hashlib.sha256(b"hello").hexdigest(),
        "weights/model.bin": hashlib.sha256(b"123").hexdigest(),
    }


def test_an_upload_that_was_cut_short_is_repeated(store, experiment_id, monkeypatch):
    """The first copy of a file loses its end, as on a full disk or a broken connection."""
    sent = []
    whole = store.client.log_artifact

    def log_artifact(run_id, local_path, artifact_path=None):
        sent.append(local_path)
        whole(run_id, local_path, artifact_path)
        if len(sent) == 1:
            run = store.client.get_run(run_id)
            (local_folder(run.info.artifact_uri) / artifact_path / "a.txt").write_text("h")

    monkeypatch.setattr(store.client, "log_artifact", log_artifact)
    with tracked_run(store, experiment_id, "run", {}) as run:
        run.log_text("hello", "notes/a.txt")
        assert len(sent) == 2
    assert text_of(store, run, "notes/a.txt") == "hello"


def test_a_folder_whose_upload_was_cut_short_is_sent_again(store, experiment_id, monkeypatch):
    sent = []
    whole = store.client.log_artifacts

    def log_artifacts(run_id, local_dir, artifact_path=None):
        sent.append(local_dir)
        whole(run_id, local_dir, artifact_path)
        if len(sent) == 1:
            run = store.client.get_run(run_id)
            (local_folder(run.info.artifact_uri) / "weights/code/b.py").unlink()

    monkeypatch.setattr(store.client, "log_artifacts", log_artifacts)
    with tracked_run(store, experiment_id, "run", {}) as run:
        with run.artifact_folder("weights") as folder:
            (folder / "code").mkdir()
            for name in ("a.bin", "code/b.py"):
                (folder / name).write_bytes(b"123")
        assert len(sent) == 2
    assert text_of(store, run, "weights/code/b.py") == "123"


def test_what_the_process_printed_is_kept(store, experiment_id, tmp_path):
    log = tmp_path / "job.log"
    with tracked_run(store, experiment_id, "run", {}, log=log) as run:
        log.write_text("a warning\n")
    assert text_of(store, run, "log.txt") == "a warning\n"


def test_files_that_two_folders_have_in_common_are_stored_once(store, experiment_id):
    with tracked_run(store, experiment_id, "shares", {}) as run:
        with run.artifact_folder("weights") as folder:
            (folder / "model.keras").write_bytes(b"weights" * 999)
            (folder / "model.weights.h5").write_bytes(b"weights alone" * 999)
        with run.artifact_folder("model") as folder:
            (folder / "model.keras").write_bytes(b"weights" * 999)
            (folder / "MLmodel").write_bytes(b"other")
        run.share("weights", "model")
    stored = local_folder(store.client.get_run(run.run_id).info.artifact_uri)
    assert (stored / "weights/model.keras").samefile(stored / "model/model.keras")
    assert (stored / "model/model.keras").read_bytes() == b"weights" * 999
    assert (stored / "model/MLmodel").stat().st_nlink == 1
    assert (stored / "weights/model.weights.h5").stat().st_nlink == 1
    assert missing(stored) is False
    assert sorted(path.name for path in (stored / "model").iterdir()) == ["MLmodel", "model.keras"]
