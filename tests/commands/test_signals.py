"""A closed terminal, Ctrl-C pressed twice, and Ctrl-C of a command that waits for another."""

import os
import signal
import time

import pytest

from pipeline.tracking.store import open_local
from tests.support.sweeps import SWEEP, kill_group, read_until, runs_of, start_anew

pytestmark = pytest.mark.slow  # `test_train` has the one Ctrl-C that most will press

LONG = [*SWEEP, "epochs=2000"]
FIRST_EPOCH = "seed=0  epoch 1/2000"


def sweeps_of(folder):
    client = open_local(folder).client
    everywhere = [one.experiment_id for one in client.search_experiments()]
    return client.search_runs(everywhere, "tags.kind = 'sweep'")


def statuses(runs):
    return [run.info.status for run in runs]


@pytest.mark.parametrize(
    "signals",
    [
        pytest.param([signal.SIGHUP], id="terminal", marks=pytest.mark.long),  # much as twice
        pytest.param([signal.SIGINT, signal.SIGINT], id="twice"),
    ],
)
def test_every_run_ends_killed(stocked, signals):
    process = start_anew(*LONG, cwd=stocked)
    read_until(process, FIRST_EPOCH)
    for number in signals:
        os.killpg(process.pid, number)
        time.sleep(0.3)
    rest = process.stdout.read()
    assert process.wait() == 130, rest
    assert "Traceback" not in rest
    assert set(statuses(runs_of(stocked))) == {"KILLED"}
    assert statuses(sweeps_of(stocked)) == ["KILLED"]


@pytest.mark.long  # other tests press Ctrl-C, and wait for another command
def test_ctrl_c_of_a_command_that_waits_leaves_the_other_alone(tmp_path):
    first = start_anew(*LONG, cwd=tmp_path)
    read_until(first, FIRST_EPOCH)
    second = start_anew(*LONG, cwd=tmp_path)
    read_until(second, "wait")
    os.killpg(second.pid, signal.SIGINT)
    second.stdout.read()
    assert second.wait() == 130
    assert set(statuses(runs_of(tmp_path))) == {"RUNNING"}
    assert statuses(sweeps_of(tmp_path)) == ["RUNNING"]
    kill_group(first)
