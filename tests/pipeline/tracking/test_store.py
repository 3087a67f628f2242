import sqlite3
import subprocess
import sys

import pytest

from pipeline.errors import StoreError
from pipeline.tracking import names
from pipeline.tracking.attempts import standings
from pipeline.tracking.store import open_local, open_server
from tests.support.commands import call_code

FOUR_AT_ONCE = """
import os
from pathlib import Path
from pipeline.tracking.store import open_local

def start():
    if (child := os.fork()) == 0:
        open_local(Path.cwd()).experiment("shared")
        os._exit(0)
    return child

children = [start() for _ in range(4)]
print([os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]) for child in children])
"""


def test_a_local_store_lies_under_mlruns_with_absolute_paths(store, tmp_path):
    assert store.uri == f"sqlite:///{tmp_path}/mlruns/mlflow.db"
    experiment = store.experiment("digits")
    assert experiment.artifact_location == (tmp_path / "mlruns/artifacts").as_uri()
    assert store.experiment("digits").experiment_id == experiment.experiment_id


def test_a_deleted_experiment_comes_back_without_its_runs(store):
    experiment = store.experiment("digits").experiment_id
    kept, deleted = (store.client.create_run(experiment).info.run_id for _ in range(2))
    store.client.delete_run(deleted)
    store.client.delete_experiment(experiment)
    assert store.experiment("digits").experiment_id == experiment
    assert store.client.get_experiment_by_name("digits").lifecycle_stage == "active"
    assert store.client.search_runs([experiment]) == []
    assert {store.client.get_run(one).info.lifecycle_stage for one in (kept, deleted)} == {
        "deleted"
    }


def test_several_processes_may_create_the_same_store_at_once(tmp_path):
    done = call_code(FOUR_AT_ONCE, cwd=tmp_path)
    assert (done.stdout, done.stderr) == ("[0, 0, 0, 0]\n", "")
    names = [e.name for e in open_local(tmp_path).client.search_experiments()]
    assert names.count("shared") == 1


def test_a_folder_that_is_a_file_is_one_sentence(tmp_path):
    (tmp_path / "mlruns").write_text("")
    with pytest.raises(StoreError, match="mlruns cannot be written"):
        open_local(tmp_path)


def test_a_file_that_is_no_database_is_one_sentence(tmp_path):
    (tmp_path / "mlruns").mkdir()
    (tmp_path / "mlruns/mlflow.db").write_text("not a database, but long enough to be one" * 99)
    with pytest.raises(StoreError, match=r"mlflow\.db cannot be read: file is not"):
        open_local(tmp_path)


def test_a_server_that_does_not_answer_is_one_sentence():
    with pytest.raises(StoreError, match=r"no MLflow server answers at 127\.0\.0\.1:9"):
        open_server("http://127.0.0.1:9")


@pytest.mark.slow
def test_what_a_killed_creation_left_is_no_hindrance(tmp_path, template):
    """A killed process leaves tables half created; they are not built upon."""
    folder = tmp_path / "mlruns"
    folder.mkdir()
    with sqlite3.connect(folder / "mlflow.db.unfinished") as half:
        half.execute("CREATE TABLE secrets (half INTEGER)")
    store = open_local(tmp_path)
    assert store.experiment("here").name == "here"
    assert not (folder / "mlflow.db.unfinished").exists()


def test_what_a_killed_writer_left_is_rolled_back_by_whoever_reads(store):
    """A journal that is still there says that a write did not come to its end."""
    experiment = store.experiment("here").experiment_id
    run_id = store.client.create_run(experiment, tags={names.IDENTITY: "a"}).info.run_id
    code = (
        "import os, sqlite3, sys; c = sqlite3.connect(sys.argv[1], isolation_level=None);"
        "c.execute('PRAGMA cache_size = 1'); c.execute('BEGIN');"
        "c.execute('UPDATE runs SET status = \"FINISHED\", name = hex(randomblob(900000))');"
        "os.kill(os.getpid(), 9)"
    )
    subprocess.run([sys.executable, "-c", code, str(store.database)], check=False)
    assert store.database.with_name("mlflow.db-journal").exists()
    assert standings(store, "here", ["a"], "s")["a"].run_id == run_id
    assert store.client.get_run(run_id).info.status == "RUNNING"
