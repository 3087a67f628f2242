"""A worker process of a sweep: its start, its jobs and its end."""

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
from pipeline.job.interruption import interrupted_by
from pipeline.sweep.launchers import Failure
from pipeline.sweep.workers.events import EventWriter
from pipeline.sweep.workers.lifetime import end_with_parent

STOP = "stop"  # name of a file; workers end once it exists


class _Sweep:
    """The sweep that this worker belongs to."""

    parent = 0  # the process that this one was forked from, or the sweep's
    stop = Path()

    def has_lost_us(self) -> bool:
        """Return whether the parent has died, so that the sweep cannot learn how this process ends.

        The parent is the process that workers are forked from, which ends with the sweep, or the
        sweep's own process.
        """
        return os.getppid() != self.parent

    def is_over(self) -> bool:
        """Return whether the sweep was stopped, or continues without this process."""
        return self.has_lost_us() or self.stop.exists()


_sweep = _Sweep()


def initialize(folder: str, environment: Mapping[str, str] | None = None) -> None:
    """Import what jobs need, and end on SIGTERM or with the sweep.

    Args:
        folder: the sweep's folder, which holds shared data and, at the end, the file `STOP`.
        environment: variables of this worker alone.
    """
    os.environ.update(environment or {})
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

    Returns:
        See `outcome_of_job`.
    """
    from pipeline.sweep.launched_job import outcome_of_job

    if _sweep.is_over():  # the pool still hands out the jobs that are left
        return Failure("", "interrupted", "")
    with _job(), kept_output(Path(log)):
        return outcome_of_job(values, overrides, EventWriter(Path(events)), Path(log))


@contextmanager
def _job() -> Iterator[None]:
    """Have SIGTERM end the run as Ctrl-C does; a worker without a job simply exits."""
    try:
        with interrupted_by(signal.SIGTERM):
            yield
    finally:
        if _sweep.has_lost_us():  # it counts this process as dead: its next job would be lost
            os._exit(1)


@contextmanager
def kept_output(log: Path) -> Iterator[None]:
    """Redirect standard output and error to `log` within the block."""
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
