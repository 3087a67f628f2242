import multiprocessing
import os
import signal
import threading
import time

import pytest

from pipeline.tracking.claims import claim
from pipeline.tracking.store import open_local

multiprocessing.set_forkserver_preload(["pipeline.tracking.store"])  # imported once for all
PROCESSES = multiprocessing.get_context("forkserver")


def hold(folder, identity, held, seconds):
    with claim(open_local(folder), identity, lambda: None):
        held.put(time.time())
        time.sleep(seconds)
        held.put(time.time())


def hold_until_killed(folder, identity, held):
    with claim(open_local(folder), identity, lambda: None):
        held.put(os.getpid())
        signal.pause()


def test_two_processes_hold_a_claim_one_after_the_other(store):
    folder, held = store.folder.parent, PROCESSES.Queue()
    both = [PROCESSES.Process(target=hold, args=(folder, "job", held, 1.0)) for _ in range(2)]
    for process in both:
        process.start()
    times = [held.get(timeout=60) for _ in range(4)]
    assert times == sorted(times)
    assert times[2] >= times[1]
    for process in both:
        process.join()


def test_the_claim_of_a_killed_process_is_free(store):
    folder, held = store.folder.parent, PROCESSES.Queue()
    process = PROCESSES.Process(target=hold_until_killed, args=(folder, "job", held))
    process.start()
    os.kill(held.get(timeout=60), signal.SIGKILL)
    process.join()
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
