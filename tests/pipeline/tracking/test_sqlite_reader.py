"""MLflow's tables read in SQL, and MLflow asked for those that are not known."""

import sqlite3
from pathlib import Path

import pytest

import tests.support
from pipeline.tracking import names, sqlite_reader
from pipeline.tracking.attempts import standings
from pipeline.tracking.run_listing import Asked, list_runs
from pipeline.tracking.weights import weights_folder

OLDEST = Path(tests.support.__file__).with_name("mlflow_3_10.sql")


def finished_run(store, identity):
    experiment = store.experiment("here").experiment_id
    tags = {names.IDENTITY: identity, names.PARITY: "exact"}
    run_id = store.client.create_run(experiment, tags=tags).info.run_id
    folder = store.folder / "artifacts" / run_id / "artifacts"
    (folder / names.WEIGHTS).mkdir(parents=True)
    (folder / names.MANIFEST).write_text("{}")
    store.client.set_terminated(run_id, "FINISHED")
    return run_id


def revise(store, revision):
    with sqlite3.connect(store.database) as connection:
        connection.execute("UPDATE alembic_version SET version_num = ?", (revision,))


def test_the_installed_version_of_mlflow_is_known(store):
    with sqlite3.connect(store.database) as connection:
        ((revision,),) = connection.execute("SELECT version_num FROM alembic_version")
    assert revision in sqlite_reader.REVISIONS


def test_the_oldest_version_allowed_is_known(tmp_path):
    with sqlite3.connect(tmp_path / "mlflow.db") as connection:
        connection.executescript(OLDEST.read_text())
        ((run_id,),) = connection.execute("SELECT run_uuid FROM runs WHERE status = 'FINISHED'")
    rows = sqlite_reader.runs_of_jobs(
        tmp_path, "here", ["a", "b", "c"], [names.IDENTITY, names.PARITY, names.sweep_tag("s")]
    )
    tags = {row.run_id: dict(row.tags) for row in rows}
    done = {names.IDENTITY: "a", names.PARITY: "exact", names.sweep_tag("s"): "1"}
    assert tags.pop(run_id) == done
    assert list(tags.values()) == [{names.IDENTITY: "b"}]
    listed = list(sqlite_reader.runs_newest_first(tmp_path, "", "here", names.sweep_tag("s")))
    assert [(one[0], one[2], one[4]) for one in listed] == [
        (run_id, "FINISHED", {names.TEST_F1_MACRO: 0.5})
    ]
    assert sqlite_reader.experiments(tmp_path) == ["Default", "here"]
    artifacts = tmp_path / "artifacts" / run_id / "artifacts"
    assert sqlite_reader.artifacts_of(tmp_path, run_id) == artifacts


@pytest.mark.parametrize("revision", ["0123456789ab", None])
def test_tables_that_are_not_known_are_not_read(store, revision):
    finished_run(store, "a")
    revise(store, revision or "0123456789ab")
    if revision is None:
        with sqlite3.connect(store.database) as connection:
            connection.execute("DROP TABLE alembic_version")
    with pytest.raises(sqlite_reader.UnknownSchemaError):
        sqlite_reader.runs_of_jobs(store.folder, "here", ["a"], [names.IDENTITY])
    with pytest.raises(sqlite_reader.UnknownSchemaError):
        sqlite_reader.artifacts_of(store.folder, "a")


def test_mlflow_tells_the_same_where_the_tables_are_not_known(store, monkeypatch):
    done, gone = finished_run(store, "a"), finished_run(store, "b")
    (store.folder / "artifacts" / gone / "artifacts" / names.MANIFEST).unlink()
    known = standings(store, "here", ["a", "b", "c"], "s")
    assert [stand.state for stand in known.values()] == ["done", "damaged", "new"]
    with weights_folder(done, store) as found:
        listed = list(list_runs(store, Asked(experiment="here")))
        monkeypatch.setattr(sqlite_reader, "REVISIONS", frozenset())
        assert list(list_runs(store, Asked(experiment="here"))) == listed
        assert standings(store, "here", ["a", "b", "c"], "s") == known
        with weights_folder(done, store) as asked:
            assert asked == found
