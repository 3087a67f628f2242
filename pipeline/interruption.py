"""An interruption of a job, kept from turning into another error on its way.

Extension modules try one signature of a function after the other; what is raised meanwhile counts
as "does not fit", and comes out as a TypeError.
"""

from collections.abc import Iterator
from contextlib import contextmanager
from typing import NoReturn


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
