"""Runs and sweeps that are deleted for good."""

import sqlite3

import pytest

from pipeline.errors import StoreError
from pipeline.tracking import deletion as module
from pipeline.tracking import names
from pipeline.tracking.deletion import delete, plan_deletion
from pipeline.tracking.heartbeats import owner_tags
from pipeline.tracking.queries import members
from pipeline.tracking.sweep_run import sweep_run
from pipeline.tracking.tracked_run import tracked_run


def finish(store, identity, *sweeps):
    experiment = store.experiment("here").experiment_id
    tags = {names.IDENTITY: identity, **{names.sweep_tag(one): "" for one in sweeps}}
    with tracked_run(store, experiment, identity, tags) as run:
        run.log_text("x", names.LOG)
        run.log_metrics({names.SECONDS: 1.0})
    return run.run_id


@pytest.fixture
def runs(store):
    """Two runs of a sweep, one of which another sweep uses too, and the sweep's own."""
    alone, shared = finish(store, "a", "s1"), finish(store, "b", "s1", "s2")
    with sweep_run(store, store.experiment("here").experiment_id, "s1", "units=2,3") as own:
        pass
    return alone, shared, own.run_id


def rows_of(store, run_id):
    """How many rows of the database are a run's."""
    count = 0
    with sqlite3.connect(store.database) as connection:
        for (table,) in connection.execute("SELECT name FROM sqlite_master WHERE type = 'table'"):
            columns = {row[1] for row in connection.execute(f"PRAGMA table_info({table})")}
            if "run_uuid" in columns:
                query = f"SELECT COUNT(*) FROM {table} WHERE run_uuid = ?"
                count += connection.execute(query, (run_id,)).fetchone()[0]
    return count


def artifacts(store, run_id):
    return store.folder / "artifacts" / run_id


def test_a_sweep_is_deleted_with_the_runs_that_are_its_alone(store, runs):
    alone, shared, own = runs
    planned = plan_deletion(store, "s1")
    assert {run.info.run_id for run in planned.runs} == {alone, own}
    assert [run.info.run_id for run in planned.kept] == [shared]
    assert rows_of(store, alone) > 0  # nothing has been done yet
    delete(store, planned)
    for gone in (alone, own):
        assert rows_of(store, gone) == 0
        assert not artifacts(store, gone).exists()
    assert artifacts(store, shared).is_dir()
    kept = store.client.get_run(shared)
    assert names.sweep_tag("s1") not in kept.data.tags
    assert names.sweep_tag("s2") in kept.data.tags
    with pytest.raises(StoreError, match="delete=s1 is neither the whole id of a run nor"):
        plan_deletion(store, "s1")


def test_a_run_is_deleted_by_its_whole_id(store, runs):
    alone, shared, _ = runs
    with pytest.raises(StoreError, match="neither the whole id"):
        plan_deletion(store, alone[:8])
    delete(store, plan_deletion(store, alone))
    assert rows_of(store, alone) == 0
    assert rows_of(store, shared) > 0


def test_other_deleted_experiments_stay_in_the_bin(store, runs):
    other = store.experiment("elsewhere").experiment_id
    store.client.delete_experiment(other)
    delete(store, plan_deletion(store, runs[0]))
    assert store.client.get_experiment(other).lifecycle_stage == "deleted"


def test_an_interrupted_deletion_shows_nothing_and_is_completed(store, runs, monkeypatch):
    alone, shared, own = runs

    def interrupted(*_):
        raise KeyboardInterrupt

    with monkeypatch.context() as patched:
        patched.setattr(module.shutil, "rmtree", interrupted)
        with pytest.raises(KeyboardInterrupt):
            delete(store, plan_deletion(store, "s1"))
    ids = [store.experiment("here").experiment_id]
    assert list(store.search_runs(ids, members("s1"))) == []
    delete(store, plan_deletion(store, "s1"))
    assert [rows_of(store, gone) for gone in (alone, own)] == [0, 0]
    assert rows_of(store, shared) > 0


def test_a_run_that_is_being_trained_is_not_deleted(store):
    experiment = store.experiment("here").experiment_id
    tags = {names.sweep_tag("s"): "", **owner_tags()}
    store.client.create_run(experiment, tags=tags, run_name="units=2")
    with pytest.raises(StoreError, match="delete=s: still running: units=2"):
        plan_deletion(store, "s")


def test_id_is_no_sweep(store, runs):
    """A sweep's own run has the tag `sweep.id`."""
    with pytest.raises(StoreError, match="delete=id is neither"):
        plan_deletion(store, "id")
