"""Where a local store lies, under whatever name, and what it takes to open it."""

import os
import shutil
import sqlite3
import tempfile
from pathlib import Path

import pytest
from sqlalchemy.engine import make_url

from pipeline.errors import StoreError
from pipeline.tracking import local_database, names
from pipeline.tracking.attempts import standings
from pipeline.tracking.store import existing_store, open_local
from pipeline.tracking.tracked_run import tracked_run
from pipeline.tracking.weights import weights_folder
from tests.support.database_lock import locked
from tests.support.fresh_store import stock


def finish_run(store, identity):
    """A finished run with a file among its weights; gives its id."""
    experiment = store.experiment("here").experiment_id
    tags = {names.IDENTITY: identity, names.PARITY: "exact"}
    with (
        tracked_run(store, experiment, identity, tags) as run,
        run.artifact_folder(names.WEIGHTS) as folder,
    ):
        (folder / "numbers.txt").write_text(identity)
    return run.run_id


def states(store):
    return {one: stand.state for one, stand in standings(store, "here", ["a", "b"], "s").items()}


@pytest.mark.parametrize("carry", [shutil.copytree, shutil.move])
def test_a_store_is_where_it_lies(store, tmp_path, carry):
    run_id = finish_run(store, "a")
    there = tmp_path / "elsewhere"
    there.mkdir()
    carry(store.folder, there / "mlruns")
    shutil.rmtree(store.folder, ignore_errors=True)
    assert states(open_local(there)) == {"a": "done", "b": "new"}
    moved = open_local(there)
    fetched = moved.client.download_artifacts(run_id, f"{names.WEIGHTS}/numbers.txt", str(tmp_path))
    assert Path(fetched).read_text() == "a"
    new = finish_run(moved, "b")
    assert (there / "mlruns/artifacts" / new / "artifacts/weights/numbers.txt").is_file()
    assert states(moved) == {"a": "done", "b": "done"}
    assert not store.folder.exists()


def test_what_was_moved_is_found_before_anything_is_written(store, tmp_path):
    """As by `dry_run=true` and `predict`, which only read."""
    run_id = finish_run(store, "a")
    there = tmp_path / "elsewhere/mlruns"
    shutil.copytree(store.folder, there)
    shutil.rmtree(store.folder)
    before = local_database.database_of(there).read_bytes()
    moved = type(store)(local_database.address(local_database.database_of(there)), there)
    assert states(moved) == {"a": "done", "b": "new"}
    with weights_folder(run_id, moved) as folder:
        assert (folder / "numbers.txt").read_text() == "a"
    assert local_database.database_of(there).read_bytes() == before


@pytest.mark.parametrize("name", ["run #2", "what?", "My%20Project", "ein Jahr=ä&b;c"])
def test_any_name_of_a_folder_will_do(tmp_path, template, name):
    place = tmp_path / name
    place.mkdir()
    store = open_local(stock(place, template))
    run_id = finish_run(store, "a")
    assert states(store) == {"a": "done", "b": "new"}
    with weights_folder(run_id, store) as folder:
        assert folder == place / "mlruns/artifacts" / run_id / "artifacts/weights"
    assert [path.name for path in tmp_path.iterdir()] == [name]
    assert local_database.file_at(make_url(store.uri).database) == store.database


def test_a_database_is_created_under_any_name(tmp_path):
    place = tmp_path / "what? #2"
    assert open_local(place).client.get_experiment_by_name("Default") is not None
    assert sorted(path.name for path in (place / "mlruns").iterdir() if path.is_file()) == [
        ".creating.lock",
        "mlflow.db",
    ]


@pytest.mark.slow
def test_an_empty_file_is_no_store_yet(tmp_path):
    (tmp_path / "mlruns").mkdir()
    (tmp_path / "mlruns/mlflow.db").touch()
    assert not local_database.exists(tmp_path / "mlruns")
    assert open_local(tmp_path).experiment("here").name == "here"


def test_where_no_store_is_none_is_created(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    with pytest.raises(StoreError, match=r"There is no store at .*mlruns; start where the runs"):
        existing_store("local")
    assert list(tmp_path.iterdir()) == []


def test_a_database_that_another_process_keeps_to_itself_is_waited_for(store):
    """For longer than SQLite's own 5 seconds."""
    run_id = finish_run(store, "a")
    with locked(store.database, seconds=7) as holder, weights_folder(run_id, store) as folder:
        assert holder.wait(5) == 0
        assert folder.is_dir()


def test_a_store_that_cannot_be_written_is_read_from_a_copy(store, tmp_path, monkeypatch):
    run_id = finish_run(store, "a")
    there = tmp_path / "elsewhere"
    shutil.copytree(store.folder, there / "mlruns")
    shutil.rmtree(store.folder)
    monkeypatch.setattr(local_database, "is_read_only", lambda folder: True)
    before = local_database.database_of(there / "mlruns").read_bytes()
    frozen = open_local(there)
    assert frozen.read_only
    assert states(frozen) == {"a": "done", "b": "new"}
    fetched = frozen.client.download_artifacts(run_id, names.WEIGHTS, str(tmp_path))
    assert (Path(fetched) / "numbers.txt").read_text() == "a"
    frozen.client.set_tag(run_id, "note", "for the length of the command")
    assert local_database.database_of(there / "mlruns").read_bytes() == before


def read_only_for(user, folder):
    """Whether a store is read-only for a process of that user."""
    if (child := os.fork()) == 0:
        os.setuid(user)
        os._exit(local_database.is_read_only(folder))
    return os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]) == 1


@pytest.mark.skipif(os.getuid() != 0, reason="only root can become somebody else")
def test_a_store_of_someone_else_is_read_only(store):
    with tempfile.TemporaryDirectory() as name:  # other users cannot enter pytest's own folders
        Path(name).chmod(0o755)
        folder = Path(shutil.copytree(store.folder, Path(name, "mlruns")))
        assert not read_only_for(0, folder)
        assert read_only_for(65534, folder)


def test_addresses_of_other_places_stay(store, tmp_path):
    bucket = store.client.create_experiment("bucket", artifact_location="s3://b/mlruns/artifacts")
    shutil.copytree(store.folder, tmp_path / "elsewhere/mlruns")
    moved = open_local(tmp_path / "elsewhere")
    assert moved.client.get_experiment(bucket).artifact_location == "s3://b/mlruns/artifacts"


def test_what_is_no_database_is_one_sentence(tmp_path):
    file = tmp_path / "mlflow.db"
    file.write_text("not a database, but long enough to be one" * 99)
    with (
        pytest.raises(StoreError, match=r"mlflow\.db cannot be read: file is not a database"),
        local_database.connected(file) as connection,
    ):
        connection.execute("SELECT 1 FROM runs")


def test_a_moved_store_of_many_runs_is_settled_in_one_write(store, tmp_path):
    experiment = store.experiment("here").experiment_id
    with sqlite3.connect(store.database) as connection:
        connection.executemany(
            "INSERT INTO runs (run_uuid, status, lifecycle_stage, artifact_uri, experiment_id)"
            " VALUES (?, 'FINISHED', 'active', ?, ?)",
            [
                (f"r{n}", f"{store.folder.as_uri()}/artifacts/r{n}/artifacts", experiment)
                for n in range(2000)
            ],
        )
    there = tmp_path / "elsewhere/mlruns"
    shutil.copytree(store.folder, there)
    open_local(there.parent)
    with sqlite3.connect(local_database.database_of(there)) as connection:
        uris = {uri for (uri,) in connection.execute("SELECT artifact_uri FROM runs")}
    assert uris == {f"{there.as_uri()}/artifacts/r{n}/artifacts" for n in range(2000)}
