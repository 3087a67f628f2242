"""A real MLflow server that keeps artifacts itself, and runs in PostgreSQL where there is one."""

import shutil
from contextlib import nullcontext

import pytest

from pipeline.tracking import names
from pipeline.tracking.finished_jobs import still_finished
from pipeline.tracking.store import Store
from pipeline.tracking.tracked_run import tracked_run
from tests.support.commands import TINY, call, serve
from tests.support.postgresql import missing, postgresql
from tests.support.questions import ask

pytestmark = pytest.mark.slow


@pytest.fixture(scope="module")
def address(tmp_path_factory):
    """Of the server, as docs/distributed.md starts it."""
    folder = tmp_path_factory.mktemp("server")
    artifacts = ["--serve-artifacts", "--artifacts-destination", str(folder / "artifacts")]
    sqlite = nullcontext(f"sqlite:///{folder}/mlflow.db")
    with (
        sqlite if missing() else postgresql() as database,
        serve(folder, database, *artifacts) as address,
    ):
        yield address


@pytest.fixture(scope="module")
def trained(address, tmp_path_factory):
    """A sweep of two in a folder of its own: the folder, and the command as it ended."""
    folder = tmp_path_factory.mktemp("elsewhere")
    where = ["tracking=server", f"tracking.uri={address}", f"data_dir={folder / 'data'}"]
    arguments = ["-m", "model=lstm", "units=4,6", *TINY, *where, "experiment=trained"]
    return folder, call("pipeline.train", *arguments, cwd=folder)


def runs_of(store, experiment):
    found = store.client.get_experiment_by_name(experiment)
    runs = store.client.search_runs([found.experiment_id], order_by=["params.units ASC"])
    return [run for run in runs if run.data.tags.get("kind") != "sweep"]


def files_of(client, run_id, path=""):
    """Every artifact of a run, by its path."""
    for one in client.list_artifacts(run_id, path):
        if one.is_dir:
            yield from files_of(client, run_id, one.path)
        else:
            yield one.path


def test_a_sweep_needs_no_more_of_the_place_it_runs_in_than_the_servers_address(address, trained):
    folder, done = trained
    assert done.returncode == 0, done.stderr + done.stdout
    assert not list(folder.rglob("*.db"))
    assert not [path for path in folder.rglob("*") if path.is_file()]
    shutil.rmtree(folder)
    client = Store(address).client
    experiment = client.get_experiment_by_name("trained").experiment_id
    assert f"{address}/#/experiments/{experiment}/runs" in done.stdout
    runs = runs_of(Store(address), "trained")
    assert [run.data.params["units"] for run in runs] == ["4", "6"]
    for run in runs:
        assert run.info.status == "FINISHED"
        assert run.info.artifact_uri.startswith("mlflow-artifacts:")
        assert run.data.tags["parity"] == "exact"
        history = client.get_metric_history(run.info.run_id, "loss/train")
        assert [point.step for point in history] == [1, 2]
        kept = set(files_of(client, run.info.run_id))
        assert {"weights/model.keras", "figures/loss.svg", "predictions/test.npz"} <= kept


def test_a_prediction_needs_neither_mlflow_nor_a_file(address, trained, tmp_path):
    run, _ = runs_of(Store(address), "trained")
    where = ["tracking=server", f"tracking.uri={address}"]
    done = ask(tmp_path, f"run_id={run.info.run_id}", "enak", *where)
    assert done.returncode == 0, done.stderr
    assert done.stdout.endswith("\tenak\n")


@pytest.mark.skipif(bool(missing()), reason=missing())
def test_a_name_that_the_database_has_no_room_for_is_shortened(address):
    store = Store(address)
    experiment = store.experiment("long names").experiment_id
    with tracked_run(store, experiment, "filters=" + 300 * "1", {}) as run:
        pass
    assert store.client.get_run(run.run_id).info.run_name == "filters=" + 241 * "1" + "…"


def test_a_sweep_keeps_which_jobs_it_has_finished(address, trained):
    store = Store(address)
    experiment = store.client.get_experiment_by_name("trained").experiment_id
    kept = {run.data.tags[names.IDENTITY]: run.info.run_id for run in runs_of(store, "trained")}
    (own,) = store.client.search_runs([experiment], f"tags.{names.KIND} = '{names.SWEEP}'")
    sweep_id = own.data.tags[names.SWEEP_ID]
    assert len(kept) == 2
    assert still_finished(address, "trained", sweep_id, list(kept)) == kept


def test_moving_keeps_runs_and_their_proof(address, sweep):
    # The sweep's own run is carried too.
    first = call("pipeline.move", f"to={address}", cwd=sweep.folder)
    assert first.stdout == f"4 runs moved, 0 already there: {address}\n", first.stderr
    again = call("pipeline.move", f"to={address}", cwd=sweep.folder)
    assert again.stdout == f"0 runs moved, 4 already there: {address}\n", again.stderr

    moved = {run.data.tags[names.ORIGIN]: run for run in runs_of(Store(address), "reviews")}
    for original in sweep.runs:
        run = moved[original.info.run_id]
        assert run.info.run_name == original.info.run_name
        assert run.info.end_time == original.info.end_time
        assert run.data.metrics == original.data.metrics
        kept = set(files_of(Store(address).client, run.info.run_id))
        assert kept == set(files_of(sweep.store.client, original.info.run_id))

    where = ["tracking=server", f"tracking.uri={address}"]
    proof = call("pipeline.parity", f"run_id={run.info.run_id}", *where, cwd=sweep.folder)
    assert proof.returncode == 0, proof.stderr
    assert "exact" in proof.stdout
