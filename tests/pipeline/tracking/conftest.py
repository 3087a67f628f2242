import shutil

import pytest

from pipeline.tracking.store import FOLDER, open_local


@pytest.fixture(scope="session")
def template(tmp_path_factory):
    """A fresh database, made once: creating its tables takes seconds."""
    folder = tmp_path_factory.mktemp("template")
    open_local(folder)
    return folder / FOLDER / "mlflow.db"


@pytest.fixture
def store(tmp_path, template):
    (tmp_path / FOLDER).mkdir()
    shutil.copy(template, tmp_path / FOLDER)
    return open_local(tmp_path)
