import os
import signal
import time

import pytest

from pipeline.job.interruption import interrupt, interrupted_by, interruptible


def be_interrupted_in_a_library():
    """As while C++ tries which function fits: no error of whatever kind is let through."""
    try:
        interrupt()
    except BaseException:
        raise TypeError("incompatible arguments") from None


def test_an_interruption_that_came_out_as_another_error_is_one_all_the_same():
    with pytest.raises(KeyboardInterrupt), interruptible():
        be_interrupted_in_a_library()


def test_an_error_after_an_interruption_of_another_block_is_that_error():
    with pytest.raises(KeyboardInterrupt), interruptible():
        interrupt()
    with pytest.raises(ZeroDivisionError), interruptible():
        1 / 0  # noqa: B018


@pytest.fixture
def others():
    """A handler that belongs to someone else."""

    def handler(*_):
        raise AssertionError("not ours")

    before = signal.signal(signal.SIGUSR1, handler)
    yield handler
    signal.signal(signal.SIGUSR1, before)


def be_sent(number):
    os.kill(os.getpid(), number)
    time.sleep(0.01)


class Destroyed:
    def __del__(self):
        be_sent(signal.SIGUSR1)


@pytest.mark.parametrize("falls_into", [lambda: be_sent(signal.SIGUSR1), Destroyed])
def test_a_signal_interrupts_a_block_whatever_it_falls_into(others, falls_into):
    with pytest.raises(KeyboardInterrupt), interrupted_by(signal.SIGUSR1):
        falls_into()
        time.sleep(20)
    assert signal.getsignal(signal.SIGUSR1) is others


def test_what_follows_an_interruption_is_not_interrupted(others):
    cleared = []
    with pytest.raises(KeyboardInterrupt), interrupted_by(signal.SIGUSR1):
        try:
            be_sent(signal.SIGUSR1)
        finally:
            be_sent(signal.SIGUSR1)
            cleared.append("all")
    assert cleared == ["all"]


def test_another_error_in_a_destructor_is_told_as_ever(capsys):
    class Faulty:
        def __del__(self):
            raise ZeroDivisionError

    with interrupted_by(signal.SIGUSR1):
        Faulty()
    assert "ZeroDivisionError" in capsys.readouterr().err
