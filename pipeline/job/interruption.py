"""An interruption of a job, kept from being lost or turning into another error on its way.

Extension modules try one signature of a function after the other; what is raised meanwhile counts
as "does not fit", and comes out as a TypeError. What is raised in a destructor (TensorFlow has
many) is printed by Python, and that is all.
"""

import os
import signal
import sys
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from typing import NoReturn

_AGAIN_SECONDS = 0.1
_CLOSED_TERMINAL = getattr(signal, "SIGHUP", signal.SIGTERM)  # Windows has none
ENDING = (signal.SIGINT, signal.SIGTERM, _CLOSED_TERMINAL)


class _Interruption:
    came = False


_interruption = _Interruption()


def interrupt(*_: object) -> NoReturn:
    """Interrupt what this process is doing, as Ctrl-C does; also a signal's handler.

    Raises:
        KeyboardInterrupt: always.
    """
    _interruption.came = True
    raise KeyboardInterrupt


@contextmanager
def interruptible() -> Iterator[None]:
    """A block that ends in a KeyboardInterrupt when it was interrupted, whatever that became.

    Raises:
        KeyboardInterrupt: in the place of any other exception that came after `interrupt`.
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
    """A block that a signal interrupts, whatever it falls into, and once: what follows is clearing.

    To be used in the main thread. A signal that is ignored (SIGHUP under `nohup`) stays so.

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
    """Print nowhere from now on: writing to a closed terminal is an error."""
    nowhere = os.open(os.devnull, os.O_WRONLY)
    for descriptor in (1, 2):
        os.dup2(nowhere, descriptor)
