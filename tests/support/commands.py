"""The commands as a user runs them: in a process of their own, in a folder of their own."""

import os
import subprocess
import sys
import time
from functools import cache
from pathlib import Path

import requests

from pipeline.tracking.store import Store, open_local
from tests.support.ports import free_port
from tests.support.warm_python import CAN_FORK, REPOSITORY, WarmPython

TINY = ["train_size=60", "epochs=2", "batch_size=16"]
MAIN_JOB = ["-m", "model=lstm", "units=4,6,8", *TINY]
IN_PROCESS = ["hydra/launcher=basic"]  # trains in the command's process: no worker's imports


def environment(**changes):
    """The environment of a command: this checkout, no graphics card, wide plain output.

    Bytecode is kept: to compile the package anew takes each command 0.3 s of processor time.
    """
    left_out = ("MLFLOW_", "PYTHONDONTWRITEBYTECODE")
    kept = {key: value for key, value in os.environ.items() if not key.startswith(left_out)}
    path = os.pathsep.join(filter(None, [str(REPOSITORY), os.environ.get("PYTHONPATH")]))
    fixed = {"PYTHONPATH": path, "CUDA_VISIBLE_DEVICES": "", "COLUMNS": "120"}
    return kept | fixed | changes


@cache
def warm_python():
    """The process that the commands of this session are forked from."""
    return WarmPython(environment())


def call(module, *arguments, cwd, timeout=300, own_workers=False, **changes):
    """Run `python -m module arguments` to its end in a folder.

    With variables of its own, or if it sets some, the workers of a sweep have to be its own, too.
    """
    return _run("-m", module, arguments, cwd, timeout, own_workers, **changes)


def call_code(code, *arguments, cwd, timeout=300, **changes):
    """Run `python -c code arguments` to its end in a folder."""
    return _run("-c", code, arguments, cwd, timeout, own_workers=False, **changes)


def _run(option, program, arguments, cwd, timeout, own_workers, **changes):
    if CAN_FORK:
        own = own_workers or bool(changes)
        return warm_python().run(
            option, program, arguments, cwd, environment(**changes), own, timeout
        )
    return subprocess.run(
        [sys.executable, option, program, *arguments],
        cwd=cwd,
        env=environment(**changes),
        capture_output=True,
        text=True,
        timeout=timeout,
        check=False,
    )


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


class serve:
    """An MLflow server for the length of a block."""

    def __init__(self, cwd, backend, *arguments, **environment):
        port = free_port()
        self.address = f"http://127.0.0.1:{port}"
        self.command = [
            *[sys.executable, "-m", "mlflow", "server", "--backend-store-uri", backend],
            *["--host", "127.0.0.1", "--port", str(port), "--workers", "1", *arguments],
        ]
        self.cwd, self.environment = cwd, environment

    def __enter__(self):
        quiet = environment(MLFLOW_SERVER_ENABLE_JOB_EXECUTION="false", **self.environment)
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
