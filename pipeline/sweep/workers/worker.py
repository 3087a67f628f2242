"""One worker process of a sweep: what it imports, how it trains a job, and how it ends."""

import os
import signal
import sys
import threading
import time
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any, NoReturn

from pipeline.data.sharing import share_data
from pipeline.errors import PrunedError
from pipeline.job.interruption import interrupted_by
from pipeline.sweep.launchers import Failure
from pipeline.sweep.workers.events import EventWriter
from pipeline.sweep.workers.lifetime import end_with_parent

STOP = "stop"  # the file that tells workers, once it is there, that the sweep is over


class _Sweep:
    """The sweep that a worker is of."""

    parent = 0  # the process that this one was forked from, or the sweep's
    stop = Path()

    def has_lost_us(self) -> bool:
        """Whether its process has gone, or the one that would tell it of this one's end.

        The process that workers are forked from ends with the sweep's.
        """
        return os.getppid() != self.parent

    def is_over(self) -> bool:
        """Whether it has been stopped, or goes on without this process."""
        return self.has_lost_us() or self.stop.exists()


_sweep = _Sweep()


def initialize(folder: str) -> None:
    """Import what jobs need, and arrange for the end: by a signal, or when the sweep is over.

    Args:
        folder: the sweep's, where shared data lie and the file `STOP` may appear.
    """
    _sweep.parent, _sweep.stop = os.getppid(), Path(folder) / STOP
    share_data(Path(folder))
    signal.signal(signal.SIGTERM, _end)
    end_with_parent()
    threading.Thread(target=_end_with_the_sweep, daemon=True).start()
    import pipeline.sweep.workers.preloaded  # noqa: F401


def _end(*_: object) -> NoReturn:
    os._exit(0)


def _end_with_the_sweep() -> None:
    while not _sweep.is_over():
        time.sleep(0.5)
    os.kill(os.getpid(), signal.SIGTERM)


def train(
    values: Mapping[str, Any], overrides: Sequence[str], log: str, events: str
) -> Failure | None:
    """Run one job.

    Args:
        values: its configuration, as plain values.
        overrides: what was set by hand in it.
        log: the file that takes what it prints.
        events: the file that takes what it tells of itself.

    Returns:
        Why it failed, its name left blank; None when it did not, or was pruned.
    """
    from pipeline.sweep.launched_job import run_job

    if _sweep.is_over():  # the pool hands out what is left all the same
        return Failure("", "interrupted", "")
    with _job(), kept_output(Path(log)):
        try:
            run_job(values, overrides, EventWriter(Path(events)), Path(log))
        except PrunedError:
            return None
        except KeyboardInterrupt:
            return Failure("", "interrupted", "")
        except Exception as error:
            return Failure.of("", error)
    return None


@contextmanager
def _job() -> Iterator[None]:
    """SIGTERM ends the job's run as Ctrl-C does; a worker without a job just ends."""
    try:
        with interrupted_by(signal.SIGTERM):
            yield
    finally:
        if _sweep.has_lost_us():  # it counts us as dead: a job that we took would be lost
            os._exit(1)


@contextmanager
def kept_output(log: Path) -> Iterator[None]:
    """Send standard output and error to `log` for the length of a block."""
    saved = os.dup(1), os.dup(2)
    with log.open("ab") as file:
        _point_at(file.fileno(), file.fileno())
        try:
            yield
        finally:
            _point_at(*saved)
            for descriptor in saved:
                os.close(descriptor)


def _point_at(output: int, error: int) -> None:
    sys.stdout.flush()
    sys.stderr.flush()
    os.dup2(output, 1)
    os.dup2(error, 2)
