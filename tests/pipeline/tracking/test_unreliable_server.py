"""Requests that are delayed, lost, doubled or refused, in front of a real MLflow server."""

from pathlib import Path

import pytest
from mlflow.entities import ViewType

from pipeline.tracking.claims import claim
from pipeline.tracking.store import Store
from pipeline.tracking.tracked_run import tracked_run
from tests.support.unreliable_proxy import (
    DOUBLE,
    FAIL_AFTER,
    KINDS,
    LOSE_REPLY,
    PlannedFaults,
    RandomFaults,
    unreliable,
)

EPOCHS = range(1, 6)


def track(store, job):
    with claim(store, job, pytest.fail) as held:
        experiment = held.experiment("unreliable").experiment_id
        with tracked_run(held, experiment, job, {}) as run:
            run.log_params({"units": 64})
            run.log_dataset("digits", "0123456789ab", "bundled")
            for epoch in EPOCHS:
                run.log_metrics({"loss/train": 1 / epoch}, epoch)
                run.flush()
            run.log_text(job, "notes/job.txt")


def assert_tracked_once(store, job, folder):
    experiment = store.client.get_experiment_by_name("unreliable").experiment_id
    named = f"attributes.run_name = '{job}'"
    (run,) = store.client.search_runs([experiment], named, run_view_type=ViewType.ACTIVE_ONLY)
    assert run.info.status == "FINISHED"
    assert run.data.params == {"units": "64"}
    history = store.client.get_metric_history(run.info.run_id, "loss/train")
    assert [(point.step, point.value) for point in history] == [(e, 1 / e) for e in EPOCHS]
    assert len(run.inputs.dataset_inputs) == 1
    store.client.download_artifacts(run.info.run_id, "notes", str(folder))
    assert (folder / "notes/job.txt").read_text() == job
    assert not list(store.client.search_registered_models(f"name LIKE 'claim-{job}-%'"))


@pytest.mark.parametrize("fault", [LOSE_REPLY, FAIL_AFTER, DOUBLE])
def test_a_claim_and_a_run_whose_creation_was_repeated_are_one(mlflow_server, tmp_path, fault):
    faults = PlannedFaults(
        registeredmodels_create=fault, experiments_create=fault, runs_create=fault
    )
    job = fault.replace(" ", "")
    with unreliable(mlflow_server, faults) as (address, done):
        track(Store(address), job)
    assert done[fault] >= 2
    assert_tracked_once(Store(mlflow_server), job, tmp_path)


@pytest.mark.slow
def test_a_folder_of_many_files_is_stored_and_read_whole(mlflow_server, tmp_path):
    files = {f"{number % 3}/{number}.txt": str(number) for number in range(20)}
    with unreliable(mlflow_server, RandomFaults(seed=0, share=0.25)) as (address, _):
        store = Store(address)
        experiment = store.experiment("unreliable").experiment_id
        with (
            tracked_run(store, experiment, "folder", {}) as run,
            run.artifact_folder("many") as folder,
        ):
            for path, text in files.items():
                (folder / path).parent.mkdir(exist_ok=True)
                (folder / path).write_text(text)
        for path in list(files)[:5]:
            one = store.client.download_artifacts(run.run_id, f"many/{path}", str(tmp_path / "one"))
            assert Path(one).read_text() == files[path]
    Store(mlflow_server).client.download_artifacts(run.run_id, "many", str(tmp_path))
    found = tmp_path / "many"
    assert {path: (found / path).read_text() for path in files} == files
    assert len([path for path in found.rglob("*") if path.is_file()]) == len(files)


@pytest.mark.slow
def test_random_faults_on_every_route_lose_and_double_nothing(mlflow_server, tmp_path):
    jobs = [f"job{number}" for number in range(4)]
    with unreliable(mlflow_server, RandomFaults(seed=0, share=0.25)) as (address, done):
        store = Store(address)
        for job in jobs:
            track(store, job)
    assert set(done) == set(KINDS)
    for job in jobs:
        folder = tmp_path / job
        folder.mkdir()
        assert_tracked_once(Store(mlflow_server), job, folder)
