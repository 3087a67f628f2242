import os
import shutil
import signal
from pathlib import Path

import pytest

from tests.support.commands import serve
from tests.support.fresh_store import fresh_database, stock

# What a script starts with `&` is deaf to Ctrl-C, and so would be the commands that are tested.
if signal.getsignal(signal.SIGINT) is signal.SIG_IGN:
    signal.signal(signal.SIGINT, signal.default_int_handler)


APART = (  # files of long tests that share nothing, or only what is made once for all workers
    "tests/commands/test_documentation.py",
    "tests/commands/test_installed.py",
    "tests/commands/test_outages.py",
    "tests/commands/test_own_everything.py",
    "tests/commands/test_resume.py",
    "tests/commands/test_search.py",
    "tests/commands/test_signals.py",
    "tests/commands/test_train.py",
)
WITH_A_SERVER = (  # one worker starts `mlflow_server` (8 s of processor time) for all of these
    "tests/pipeline/tracking/test_finished_jobs.py",
    "tests/pipeline/tracking/test_server_claims.py",
    "tests/pipeline/tracking/test_server_requests.py",
    "tests/pipeline/tracking/test_unreliable_server.py",
)


@pytest.hookimpl(optionalhook=True)  # without pytest-xdist there is nothing to spread
def pytest_xdist_make_scheduler(config, log):
    """Keep the tests of a file in one worker, which shares their fixtures, except for some."""
    if config.getvalue("dist") != "loadfile":
        return None
    from xdist.scheduler import LoadFileScheduling

    class Spread(LoadFileScheduling):
        def _split_scope(self, nodeid):
            file = super()._split_scope(nodeid)
            if file in WITH_A_SERVER:
                return "mlflow_server"
            return nodeid if file in APART else file

    return Spread(config, log)


def data_dir_with(folder):
    """The data directory of real data, if this folder lies there."""
    data_dir = os.environ.get("PIPELINE_DATA_DIR")
    if not data_dir or not (Path(data_dir) / folder).is_dir():
        pytest.skip(f"{folder}/ is not in the directory that PIPELINE_DATA_DIR names ({data_dir})")
    return Path(data_dir)


@pytest.fixture(scope="session")
def template(tmp_path_factory):
    """A fresh database, to be copied."""
    return fresh_database(tmp_path_factory)


@pytest.fixture
def stocked(tmp_path, template):
    """A folder that has a store without runs."""
    return stock(tmp_path, template)


@pytest.fixture(scope="session")
def mlflow_server(tmp_path_factory, template):
    """Address of a real MLflow server on loopback that keeps artifacts itself."""
    folder = tmp_path_factory.mktemp("server")
    shutil.copy(template, folder)
    store = f"sqlite:///{folder}/mlflow.db"
    with serve(folder, store, "--artifacts-destination", str(folder / "artifacts")) as address:
        yield address


@pytest.fixture(scope="session")
def real_nusax():
    """A data directory with the NusaX files."""
    return data_dir_with("nusax")


@pytest.fixture(scope="session")
def real_cifar10():
    """A data directory with the CIFAR-10 batches."""
    return data_dir_with("cifar-10-batches-bin")
