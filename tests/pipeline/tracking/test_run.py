import math

import mlflow
import pytest

from pipeline.tracking.run import tracked_run


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


def test_files_of_a_failed_block_are_not_stored(store, experiment_id):
    with tracked_run(store, experiment_id, "run", {}) as run:
        with pytest.raises(OSError, match="full"), run.artifact_folder("weights") as folder:
            (folder / "half").write_text("")
            raise OSError("full")
        assert store.client.list_artifacts(run.run_id) == []
