"""Claims of real processes, each in a PID namespace of its own as in a container."""

import os
import signal
import subprocess
import sys
from contextlib import contextmanager

import psutil
import pytest

from pipeline.tracking.store import Store
from tests.support.claimant import CURVE, EXPERIMENT
from tests.support.commands import environment

pytestmark = pytest.mark.slow

CONTAINER = ["unshare", "--pid", "--fork", "--mount-proc", "--kill-child"]
SILENCE = 4


@pytest.fixture(autouse=True)
def _namespaces():
    if subprocess.run([*CONTAINER, "true"], capture_output=True, check=False).returncode:
        pytest.skip("PID namespaces cannot be made here")


@contextmanager
def container(server, job, steps):
    """A claimant whose processes no other one can look up, though the host's name is the same."""
    claimant = [sys.executable, "-m", "tests.support.claimant", server, job, str(steps)]
    process = subprocess.Popen(
        [*CONTAINER, *claimant, str(SILENCE)],
        env=environment(),
        stdout=subprocess.PIPE,
        text=True,
    )
    try:
        yield process
    finally:
        process.kill()
        process.wait()
        process.stdout.close()


def words(process):
    return [line.strip() for line in process.stdout]


def read_until(process, word):
    for line in process.stdout:
        if line.strip() == word:
            return
    raise AssertionError(f"never said {word!r}")


def points(server, job):
    client = Store(server).client
    experiment = client.get_experiment_by_name(EXPERIMENT).experiment_id
    (run,) = client.search_runs([experiment], f"attributes.run_name = '{job}'")
    history = client.get_metric_history(run.info.run_id, CURVE)
    return run.info.status, [point.step for point in history]


def test_a_container_with_the_same_host_name_waits_for_another_that_lives(mlflow_server):
    job, steps = "lives", 100
    with container(mlflow_server, job, steps) as first:
        read_until(first, "holds")
        with container(mlflow_server, job, 1) as second:
            read_until(second, "waits")
            assert "finished" in words(first)
            assert "finished" in words(second)
    assert points(mlflow_server, job) == ("FINISHED", list(range(1, steps + 1)))


def test_a_machine_that_was_frozen_and_taken_for_dead_writes_no_more(mlflow_server):
    job, steps = "frozen", 60
    with container(mlflow_server, job, steps) as frozen:
        read_until(frozen, "5")
        (inside,) = psutil.Process(frozen.pid).children()
        os.kill(inside.pid, signal.SIGSTOP)
        with container(mlflow_server, job, steps) as other:
            read_until(other, "20")  # it has taken over, and is in the midst of its run
            os.kill(inside.pid, signal.SIGCONT)
            assert words(frozen)[-1] == "lost"
            assert words(other)[-1] == "finished"
    assert points(mlflow_server, job) == ("FINISHED", list(range(1, steps + 1)))
