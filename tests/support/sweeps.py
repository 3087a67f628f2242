"""Sweeps in the background: started, watched and killed."""

import os
import signal
import subprocess
import sys
import time
from contextlib import suppress

from pipeline.tracking.store import open_local
from tests.support.commands import environment, warm_python
from tests.support.warm_python import CAN_FORK

# Small images: a convolution is traced in a fraction of the time that a recurrent layer takes.
CNN = ["model=cnn", "filters=[4]", "dense_units=8"]
# Two workers throughout: the number of threads that each has decides the last bit of a sum.
SWEEP = ["-m", *CNN, "workers=2", "seed=0,1", "epochs=6"]


def start(*arguments, cwd):
    """Start the command in a process group of its own, by a fork: imports would take 10 s."""
    return start_module("pipeline.train", *arguments, cwd=cwd)


def start_anew(*arguments, cwd):
    """Start the command as a user does, for a test of its processes and their signals."""
    return _start_anew("pipeline.train", *arguments, cwd=cwd)


def start_module(module, *arguments, cwd, errors=None):
    """Start `python -m module` in a process group of its own, by a fork.

    What it prints to stderr is read with the rest, unless `errors` is os.devnull.
    """
    if not CAN_FORK:
        kept_apart = subprocess.DEVNULL if errors else subprocess.STDOUT
        return _start_anew(module, *arguments, cwd=cwd, stderr=kept_apart)
    return warm_python().start("-m", module, arguments, cwd, environment(), errors)


def _start_anew(module, *arguments, cwd, stderr=subprocess.STDOUT):
    return subprocess.Popen(
        [sys.executable, "-m", module, *arguments],
        cwd=cwd,
        env=environment(),
        stdout=subprocess.PIPE,
        stderr=stderr,
        text=True,
        start_new_session=True,
    )


def wait_for_checkpoint(folder):
    for _ in range(6000):  # five minutes, on a machine that does much else
        if list(folder.glob("mlruns/artifacts/*/artifacts/checkpoint/*.npz")):
            return
        time.sleep(0.05)
    raise AssertionError("no checkpoint was written")


def kill_group(process):
    with suppress(ProcessLookupError):  # it was at its end already
        os.killpg(process.pid, signal.SIGKILL)
    process.wait()
    process.stdout.close()


def read_until(process, words):
    for line in process.stdout:
        if words in line:
            return
    raise AssertionError(f"never printed {words!r}")


def runs_of(folder):
    client = open_local(folder).client
    everywhere = [one.experiment_id for one in client.search_experiments()]
    found = client.search_runs(everywhere, order_by=["start_time ASC"])
    return [run for run in found if run.data.tags.get("kind") != "sweep"]
