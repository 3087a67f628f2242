"""Watches jobs in other processes: shows their events, and determines how each job ended."""

import signal
from collections.abc import Callable, Iterator, Sequence
from contextlib import suppress
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any, Protocol

from pebble import ProcessExpired

from pipeline.cli.progress import SweepProgress
from pipeline.errors import summary
from pipeline.sweep.launchers import Failure
from pipeline.sweep.schedule import LaunchedJob
from pipeline.tracking.store import Store
from pipeline.training.history import Epoch


class ProcessLostError(Exception):
    """The process of a job has ended before the job; the message says how."""


class Outcome(Protocol):
    """How a job ends, as `concurrent.futures.Future`."""

    def done(self) -> bool:
        """Return whether the job has ended."""

    def running(self) -> bool:
        """Return whether the job runs."""

    def result(self) -> Failure | None:
        """Return the failure of the job, or None.

        Raises:
            ProcessExpired, ProcessLostError: when its process has died.
        """


class Events(Protocol):
    """The events of a job."""

    def new(self) -> Iterator[dict[str, Any]]:
        """Yield the events since the last call."""

    def prune(self, reason: str) -> None:
        """Ask the job to stop at the end of its next epoch."""


@dataclass
class WatchedJob:
    """A job that was submitted to another process, and the file of its output on this machine."""

    number: int
    job: LaunchedJob
    future: Outcome
    events: Events
    log: Path | None = None
    run_id: str | None = None
    pruned: bool = False
    over: bool = False


# Takes job number and epoch; returns the reason to stop the job after this epoch, or None.
Judge = Callable[[int, Epoch], str | None]


def newly_ended(
    watched: Sequence[WatchedJob],
    progress: SweepProgress,
    store: Store,
    judge: Judge,
) -> Iterator[tuple[WatchedJob, Failure | None]]:
    """Show the new events of the jobs, and yield those that have ended since the last call."""
    for job in (job for job in watched if not job.over):
        over = job.future.done()  # read before the events, so that none is missed
        _show(job, progress, judge)
        if over:
            job.over = True
            failure = _failure(job, store)
            progress.ends(job.number, failed=failure is not None)
            yield job, failure


def _show(job: WatchedJob, progress: SweepProgress, judge: Judge) -> None:
    for event in job.events.new():
        match event["kind"]:
            case "waits":
                progress.waits(job.number)
            case "starts":
                job.run_id = event["run_id"]
                progress.starts(job.number, job.run_id)
            case "epoch":
                epoch = Epoch(**event["epoch"])
                progress.epoch(job.number, epoch)
                reason = judge(job.number, epoch)
                if reason and not job.pruned:
                    job.pruned = True
                    progress.prunes(job.number, epoch, reason)
                    job.events.prune(reason)


def _failure(job: WatchedJob, store: Store) -> Failure | None:
    try:
        failure = job.future.result()
        return failure and replace(failure, job=job.job.name)
    except (ProcessExpired, ProcessLostError) as lost:
        told = _told(lost.exitcode) if isinstance(lost, ProcessExpired) else str(lost)
        end_run_of(job, store, "FAILED", told)
        return Failure(job.job.name, told, "")
    except Exception as error:
        return Failure(job.job.name, summary(error), "")


def _told(exit_code: int) -> str:
    if exit_code < 0:
        name = signal.Signals(-exit_code).name
        reason = "; out of memory is a common reason" if exit_code == -signal.SIGKILL else ""
        return f"its process was killed by {name}{reason}."
    return f"its process ended with exit code {exit_code}."


def end_run_of(job: WatchedJob, store: Store, status: str, told: str | None = None) -> None:
    """End the run of a job whose process died before it could end the run itself.

    Args:
        status: KILLED or FAILED.
        told: the reason, stored with the run.
    """
    from pipeline.tracking.lost_runs import end_lost_run

    with suppress(Exception):  # the sweep continues; the run is recognised as lost later
        for event in job.events.new():
            job.run_id = event.get("run_id", job.run_id)
        if job.run_id is not None:
            end_lost_run(store, job.run_id, status, told, job.log)
