import subprocess
import sys

import pytest

from pipeline.tracking import names
from pipeline.tracking.heartbeats import owner, owner_tags
from pipeline.tracking.lost_runs import end_lost_runs


@pytest.fixture
def running(store):
    """Give a RUNNING run of the sweep `s`, or of another, that belongs to a process."""
    experiment = store.experiment("here").experiment_id

    def run(process, sweep="s"):
        tags = owner_tags() | {names.OWNER: process, names.sweep_tag(sweep): "1"}
        return store.client.create_run(experiment, tags=tags).info.run_id

    return run


@pytest.fixture
def nobody():
    with subprocess.Popen([sys.executable, "-c", ""]) as process:
        pass
    host, machine, _, started = owner().split()
    return f"{host} {machine} {process.pid} {started}"


def end(store, interrupted):
    end_lost_runs(store, [store.experiment("here").experiment_id], "s", interrupted)


def told(store, run_id):
    run = store.client.get_run(run_id)
    return run.info.status, run.data.tags.get("error")


def test_a_run_whose_process_died_has_failed(store, running, nobody):
    run_id = running(nobody)
    end(store, interrupted=False)
    assert told(store, run_id) == ("FAILED", "its process died.")
    assert store.client.get_run(run_id).info.end_time


def test_in_an_interrupted_sweep_it_was_killed(store, running, nobody):
    run_id = running(nobody)
    end(store, interrupted=True)
    assert told(store, run_id) == ("KILLED", None)


def test_runs_of_living_processes_and_of_other_sweeps_are_let_be(store, running, nobody):
    runs = running(owner()), running(nobody, sweep="other")
    end(store, interrupted=True)
    assert [told(store, run_id) for run_id in runs] == [("RUNNING", None)] * 2
