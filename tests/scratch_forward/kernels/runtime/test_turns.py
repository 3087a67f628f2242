"""Short calls wait for each other; long ones, nested ones and those after a fork do not."""

import os
import threading
import time

import pytest

from scratch_forward.kernels.runtime import turns
from scratch_forward.kernels.runtime.turns import Turns


def together(calls):
    """Return how many of the functions were running when the last one started."""
    running, most = [0], []

    def counted(function):
        running[0] += 1
        most.append(running[0])
        function()
        running[0] -= 1

    threads = [threading.Thread(target=call, args=(counted,)) for call in calls]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    return max(most)


def calls_of(seconds):
    """Four callers of a function that takes a time known from an earlier call."""
    known = Turns()
    known.call(lambda: time.sleep(seconds), 1)
    return [
        lambda counted: known.call(lambda: counted(lambda: time.sleep(seconds)), 1)
        for _ in range(4)
    ]


def test_short_calls_wait_for_each_other(monkeypatch):
    monkeypatch.setattr(turns, "SHORT", 10.0)
    assert together(calls_of(0.05)) == 1


def test_long_calls_run_side_by_side(monkeypatch):
    monkeypatch.setattr(turns, "SHORT", 0.01)
    assert together(calls_of(0.2)) > 1


def test_a_call_within_a_call_does_not_wait_for_itself(monkeypatch):
    monkeypatch.setattr(turns, "SHORT", 10.0)
    outer, inner = Turns(), Turns()
    for known in (outer, inner):
        known.call(lambda: None, 1)
    assert outer.call(lambda: inner.call(lambda: 7, 1), 1) == 7


def test_an_error_ends_the_turn(monkeypatch):
    monkeypatch.setattr(turns, "SHORT", 10.0)
    known = Turns()
    known.call(lambda: None, 1)
    with pytest.raises(ZeroDivisionError):
        known.call(lambda: 1 / 0, 1)
    entered = []

    def while_another_waits():
        other = threading.Thread(target=known.call, args=(lambda: entered.append(1), 1))
        other.start()
        other.join(0.2)
        return list(entered)

    assert known.call(while_another_waits, 1) == []
    assert together([lambda counted: known.call(lambda: counted(lambda: None), 1)] * 2) == 1


@pytest.mark.filterwarnings("ignore:.*fork:DeprecationWarning")
@pytest.mark.skipif(not hasattr(os, "fork"), reason="the system does not fork")
def test_a_forked_process_does_not_wait_for_a_thread_that_it_lacks(monkeypatch):
    monkeypatch.setattr(turns, "SHORT", 10.0)
    known, entered, leave = Turns(), threading.Event(), threading.Event()
    known.call(lambda: None, 1)
    holder = threading.Thread(target=lambda: known.call(lambda: (entered.set(), leave.wait(60)), 1))
    holder.start()
    entered.wait(60)
    child = os.fork()
    if child == 0:
        known.call(lambda: None, 1)
        os._exit(0)
    deadline = time.monotonic() + 30
    while (ended := os.waitpid(child, os.WNOHANG))[0] == 0 and time.monotonic() < deadline:
        time.sleep(0.01)
    leave.set()
    holder.join()
    if ended[0] == 0:
        os.kill(child, 9)
        os.waitpid(child, 0)
    assert ended == (child, 0)
