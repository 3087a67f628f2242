import os
import subprocess
import sys
import time
from pathlib import Path

import pytest
import requests

from pipeline.tracking.store import Store, open_local
from tests.support.ports import free_port

REPOSITORY = Path(__file__).resolve().parents[2]
TINY = ["train_size=60", "epochs=2", "batch_size=16"]


def environment(**changes):
    """The environment of a command: this checkout, no graphics card, wide plain output."""
    kept = {key: value for key, value in os.environ.items() if not key.startswith("MLFLOW_")}
    path = os.pathsep.join(filter(None, [str(REPOSITORY), os.environ.get("PYTHONPATH")]))
    fixed = {"PYTHONPATH": path, "CUDA_VISIBLE_DEVICES": "", "COLUMNS": "120"}
    return kept | fixed | changes


def call(module, *arguments, cwd, timeout=300, **changes):
    """Run `python -m module arguments` to its end in a folder."""
    return subprocess.run(
        [sys.executable, "-m", module, *arguments],
        cwd=cwd,
        env=environment(**changes),
        capture_output=True,
        text=True,
        timeout=timeout,
        check=False,
    )


@pytest.fixture(scope="session")
def sweep(tmp_path_factory):
    """The main job at a small size: a folder in which it ran, what it printed, its store."""
    folder = tmp_path_factory.mktemp("sweep")
    done = call("pipeline.train", "-m", "model=lstm", "units=4,6,8", *TINY, cwd=folder)
    return Sweep(folder, done)


class Sweep:
    def __init__(self, folder, done):
        self.folder, self.done = folder, done

    @property
    def store(self) -> Store:
        return open_local(self.folder)

    @property
    def runs(self):
        ids = [one.experiment_id for one in self.store.client.search_experiments()]
        found = self.store.client.search_runs(ids, order_by=["params.units ASC"])
        return [run for run in found if run.data.tags.get("kind") != "sweep"]


@pytest.fixture(scope="session")
def images(tmp_path_factory):
    """A CNN's run on the digits; gives the folder and the run's id."""
    folder = tmp_path_factory.mktemp("images")
    unlike_defaults = ["filters=[4]", "batch_norm=true", "pooling=average", "conv_padding=valid"]
    done = call("pipeline.train", "model=cnn", *unlike_defaults, "epochs=2", cwd=folder)
    assert done.returncode == 0, done.stdout + done.stderr
    store = open_local(folder)
    experiment = store.client.get_experiment_by_name("digits")
    (run,) = store.client.search_runs([experiment.experiment_id])
    return folder, run


@pytest.fixture(scope="session")
def server(tmp_path_factory):
    """Address of a real MLflow server on loopback that keeps artifacts itself."""
    folder = tmp_path_factory.mktemp("server")
    store = f"sqlite:///{folder}/mlflow.db"
    with serve(folder, store, "--artifacts-destination", str(folder / "artifacts")) as address:
        yield address


@pytest.fixture(scope="session")
def remote(server, tmp_path_factory):
    """A sweep of one that was tracked on the server."""
    folder = tmp_path_factory.mktemp("remote")
    where = ["tracking=server", f"tracking.uri={server}", "experiment=remote"]
    done = call("pipeline.train", *where, "units=4", *TINY, cwd=folder)
    return Sweep(folder, done)


class serve:
    """An MLflow server for the length of a block."""

    def __init__(self, cwd, backend, *arguments):
        port = free_port()
        self.address = f"http://127.0.0.1:{port}"
        self.command = [
            *[sys.executable, "-m", "mlflow", "server", "--backend-store-uri", backend],
            *["--host", "127.0.0.1", "--port", str(port), "--workers", "1", *arguments],
        ]
        self.cwd = cwd

    def __enter__(self):
        quiet = environment(MLFLOW_SERVER_ENABLE_JOB_EXECUTION="false")
        self.log = (Path(self.cwd) / "server.log").open("w")
        self.process = subprocess.Popen(
            self.command, cwd=self.cwd, env=quiet, stdout=self.log, stderr=self.log
        )
        for _ in range(480):
            try:
                if requests.get(f"{self.address}/health", timeout=5).ok:
                    return self.address
            except requests.RequestException:
                time.sleep(0.25)
        self.__exit__()
        raise RuntimeError(Path(self.log.name).read_text())

    def __exit__(self, *_):
        self.process.terminate()
        self.process.wait(20)
        self.log.close()
