import signal
import threading
import time

import pytest

from pipeline.tracking.claims import claim
from tests.support.commands import call_code

TWO_PROCESSES = """
import os, time
from pathlib import Path
from pipeline.tracking.claims import claim
from pipeline.tracking.store import open_local

def say():
    os.write(1, f"{time.time()}\\n".encode())

def start():
    if (child := os.fork()) == 0:
        with claim(open_local(Path.cwd()), "job", lambda: None):
            say()
            time.sleep(1)
            say()
        os._exit(0)
    return child

for child in [start() for _ in range(2)]:
    os.waitpid(child, 0)
"""

KILLED = """
import os
from pathlib import Path
from pipeline.tracking.claims import claim
from pipeline.tracking.store import open_local

with claim(open_local(Path.cwd()), "job", lambda: None):
    os.kill(os.getpid(), 9)
"""


def test_two_processes_hold_a_claim_one_after_the_other(store):
    done = call_code(TWO_PROCESSES, cwd=store.folder.parent)
    assert done.stderr == ""
    times = [float(line) for line in done.stdout.split()]
    assert len(times) == 4
    assert times == sorted(times)
    assert times[1] - times[0] >= 1
    assert times[3] - times[2] >= 1


def test_the_claim_of_a_killed_process_is_free(store):
    assert call_code(KILLED, cwd=store.folder.parent).returncode == -signal.SIGKILL
    waited = []
    with claim(store, "job", lambda: waited.append(True)):
        assert not waited


def test_another_job_is_not_waited_for(store):
    with claim(store, "one", pytest.fail), claim(store, "other", pytest.fail):
        pass


def test_waiting_is_told_once_and_ends(store):
    told, free = [], threading.Event()

    def first():
        with claim(store, "job", pytest.fail):
            free.set()
            time.sleep(1.5)

    thread = threading.Thread(target=first)
    thread.start()
    assert free.wait(10)
    with claim(store, "job", lambda: told.append(True)):
        assert told == [True]
    thread.join()
