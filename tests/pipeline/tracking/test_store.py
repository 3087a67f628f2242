import subprocess
import sys

import pytest

from pipeline.tracking.errors import StoreError
from pipeline.tracking.store import open_local, open_server


def test_a_local_store_lies_under_mlruns_with_absolute_paths(store, tmp_path):
    assert store.uri == f"sqlite:///{tmp_path}/mlruns/mlflow.db"
    experiment = store.experiment("digits")
    assert experiment.artifact_location == (tmp_path / "mlruns/artifacts").as_uri()
    assert store.experiment("digits").experiment_id == experiment.experiment_id


def test_a_deleted_experiment_is_brought_back(store):
    experiment = store.experiment("digits")
    store.client.delete_experiment(experiment.experiment_id)
    assert store.experiment("digits").experiment_id == experiment.experiment_id
    assert store.client.get_experiment_by_name("digits").lifecycle_stage == "active"


def test_several_processes_may_create_the_same_store_at_once(tmp_path):
    code = (
        "import sys; from pathlib import Path; from pipeline.tracking.store import open_local;"
        "open_local(Path(sys.argv[1])).experiment('shared')"
    )
    command = [sys.executable, "-c", code, str(tmp_path)]
    processes = [subprocess.Popen(command, stderr=subprocess.PIPE, text=True) for _ in range(4)]
    assert [(p.wait(), p.stderr.read()) for p in processes] == [(0, "")] * 4
    names = [e.name for e in open_local(tmp_path).client.search_experiments()]
    assert names.count("shared") == 1


def test_a_folder_that_is_a_file_is_one_sentence(tmp_path):
    (tmp_path / "mlruns").write_text("")
    with pytest.raises(StoreError, match="mlruns cannot be written"):
        open_local(tmp_path)


def test_a_file_that_is_no_database_is_one_sentence(tmp_path):
    (tmp_path / "mlruns").mkdir()
    (tmp_path / "mlruns/mlflow.db").write_text("not a database, but long enough to be one" * 99)
    with pytest.raises(StoreError, match=r"mlflow\.db cannot be opened"):
        open_local(tmp_path)


def test_a_server_that_does_not_answer_is_one_sentence():
    with pytest.raises(StoreError, match=r"no MLflow server answers at 127\.0\.0\.1:9"):
        open_server("http://127.0.0.1:9")
