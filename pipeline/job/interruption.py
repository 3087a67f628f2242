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
def interrupted_by(number: signal.Signals) -> Iterator[None]:
    """A block that a signal interrupts, whatever it falls into, and once: what follows is clearing.

    To be used in the main thread.

    Args:
        number: the signal.
    """

    def once(*_: object) -> NoReturn:
        signal.signal(number, signal.SIG_IGN)
        interrupt()

    def again(swallowed: "sys.UnraisableHookArgs") -> None:
        if swallowed.exc_type is not KeyboardInterrupt:
            sys.__unraisablehook__(swallowed)
            return
        signal.signal(number, once)
        threading.Timer(_AGAIN_SECONDS, os.kill, (os.getpid(), number)).start()

    handler, hook = signal.signal(number, once), sys.unraisablehook
    sys.unraisablehook = again
    try:
        yield
    finally:
        signal.signal(number, handler)
        sys.unraisablehook = hook
