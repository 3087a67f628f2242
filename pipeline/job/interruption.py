"""Keeps an interruption of a job from being lost or turned into another error.

Extension modules try the signatures of a function one after another. An exception raised meanwhile
counts as "does not fit" and becomes a TypeError. An exception raised in a destructor (TensorFlow
has many) is only printed by Python.

This file only turns signals into KeyboardInterrupt. `tracking/tracked_run.py` then marks the run
KILLED, and `sweep/workers/pool.py` gives workers 15 s to do so before it ends them.
"""

import os
import signal
import sys
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from typing import NoReturn

_AGAIN_SECONDS = 0.1
_CLOSED_TERMINAL = getattr(signal, "SIGHUP", signal.SIGTERM)  # does not exist on Windows
ENDING = (signal.SIGINT, signal.SIGTERM, _CLOSED_TERMINAL)


class _Interruption:
    came = False


_interruption = _Interruption()


def interrupt(*_: object) -> NoReturn:
    """Interrupt this process as Ctrl-C does; also usable as a signal handler.

    Raises:
        KeyboardInterrupt: always.
    """
    _interruption.came = True
    raise KeyboardInterrupt


@contextmanager
def interruptible() -> Iterator[None]:
    """Turn any exception of a block into KeyboardInterrupt if the block was interrupted.

    Raises:
        KeyboardInterrupt: instead of any other exception that followed `interrupt`.
    """
    _interruption.came = False
    try:
        yield
    except Exception as error:
        if _interruption.came:
            raise KeyboardInterrupt from error
        raise


@contextmanager
def interrupted_by(*numbers: signal.Signals) -> Iterator[None]:
    """Let a signal interrupt a block, but only once, so that the clean-up is not interrupted.

    An interruption that a destructor swallows is repeated. Use this in the main thread only. A
    signal that is ignored (SIGHUP under `nohup`) stays ignored.

    Args:
        numbers: the signals.
    """
    handlers = {number: signal.getsignal(number) for number in numbers}
    heard = [number for number in numbers if handlers[number] != signal.SIG_IGN]

    def once(number: int, _: object) -> NoReturn:
        for other in heard:
            signal.signal(other, signal.SIG_IGN)
        if number == _CLOSED_TERMINAL != signal.SIGTERM:
            _leave_terminal()
        interrupt()

    def again(swallowed: "sys.UnraisableHookArgs") -> None:
        if swallowed.exc_type is not KeyboardInterrupt:
            sys.__unraisablehook__(swallowed)
            return
        for number in heard:
            signal.signal(number, once)
        threading.Timer(_AGAIN_SECONDS, os.kill, (os.getpid(), heard[0])).start()

    for number in heard:
        signal.signal(number, once)
    hook, sys.unraisablehook = sys.unraisablehook, again
    try:
        yield
    finally:
        for number in heard:
            signal.signal(number, handlers[number])
        sys.unraisablehook = hook


def _leave_terminal() -> None:
    """Redirect output to nowhere: writing to a closed terminal raises an error."""
    nowhere = os.open(os.devnull, os.O_WRONLY)
    for descriptor in (1, 2):
        os.dup2(nowhere, descriptor)
