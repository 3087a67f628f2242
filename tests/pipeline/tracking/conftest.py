import shutil

import pytest

from tests.support.commands import serve


@pytest.fixture(scope="session")
def mlflow_server(tmp_path_factory, template):
    """Address of a real MLflow server on loopback that keeps artifacts itself."""
    folder = tmp_path_factory.mktemp("server")
    shutil.copy(template, folder)
    artifacts = ["--artifacts-destination", str(folder / "artifacts")]
    with serve(folder, f"sqlite:///{folder}/mlflow.db", *artifacts) as address:
        yield address
