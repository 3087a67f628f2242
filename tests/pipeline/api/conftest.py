import pytest

from tests.support.stored_runs import store_run


@pytest.fixture
def in_folder(tmp_path, monkeypatch):
    """An empty working directory, without MLflow's variables."""
    monkeypatch.chdir(tmp_path)
    monkeypatch.delenv("MLFLOW_TRACKING_URI", raising=False)
    return tmp_path


@pytest.fixture
def stored(store, in_folder):
    """A finished run of an untrained model, in the store of the working directory."""
    return store_run(store)
