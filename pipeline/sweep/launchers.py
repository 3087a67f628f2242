"""What a launcher of jobs provides, and the one that uses Hydra's launchers."""

import traceback
from collections.abc import Callable, Iterator, Sequence
from contextlib import AbstractContextManager, contextmanager
from dataclasses import dataclass
from itertools import islice
from typing import Any, Protocol

from hydra.core.utils import JobStatus
from hydra.plugins.launcher import Launcher

from pipeline.errors import StoreAwayError, StoreError, summary
from pipeline.settings import Settings, SettingsError
from pipeline.sweep.cores import worker_count
from pipeline.sweep.job_document import job_override
from pipeline.sweep.needs import AUTO, submitit_parameters
from pipeline.sweep.schedule import LaunchedJob
from pipeline.tracking.store import Store
from pipeline.training.history import Epoch


@dataclass(frozen=True)
class Failure:
    """A job that raised an exception, or whose process died."""

    job: str  # the name of the job
    error: str  # the error in one line
    trace: str  # the traceback, or ""
    # whether the tracking store is unreachable, so that any other job would fail too
    store_away: bool = False

    @classmethod
    def of(cls, job: str, error: BaseException) -> "Failure":
        """Return the failure for an exception that a job raised."""
        if isinstance(error, StoreError):  # its sentence suffices
            return cls(job, str(error), "", isinstance(error, StoreAwayError))
        return cls(job, summary(error), "".join(traceback.format_exception(error)))


def ends_sweep(failures: Sequence[Failure], fail_fast: bool) -> bool:
    """Return whether no further job should start."""
    return any(failure.store_away or fail_fast for failure in failures)


# Takes a job; returns how little it suits a place, to be compared with other jobs.
Preference = Callable[[LaunchedJob], Any]


def no_preference(job: LaunchedJob) -> int:
    """Prefer no job."""
    return 0


class JobSource(Protocol):
    """Yields jobs one by one; a search chooses each by the outcome of earlier ones."""

    left: int  # the largest number of jobs that it may yield

    @property
    def stopped(self) -> bool:
        """Whether the jobs that still run must be ended."""

    def next(self, preference: Preference = no_preference) -> tuple[int, LaunchedJob] | None:
        """Return the next job and its number, or None if there are no more."""

    def epoch(self, number: int, epoch: Epoch) -> str | None:
        """Report an epoch of a job; return the reason to stop the job, or None."""

    def ended(self, number: int, failure: Failure | None) -> None:
        """Report that a job has ended."""


class JobLauncher(Protocol):
    """Runs jobs."""

    def started(self, jobs: Sequence[Settings], count: int) -> AbstractContextManager[None]:
        """Prepare for jobs while the sweep is planned, and clean up when the block ends.

        Raises:
            SettingsError: when a job needs more than any machine has.
        """

    def run(self, jobs: Sequence[LaunchedJob], store: Store, fail_fast: bool) -> list[Failure]:
        """Run jobs to their ends; with `fail_fast` stop at the first that fails.

        Raises:
            KeyboardInterrupt: when the sweep was interrupted; every run has its final status.
        """

    def search(self, source: JobSource, store: Store) -> None:
        """Run the jobs of a source, several at a time, until none is left.

        Raises:
            KeyboardInterrupt: as above.
        """


class HydraJobs:
    """Runs jobs with one of Hydra's launchers: basic, joblib, submitit, ray, ..."""

    def __init__(self, launcher: Launcher):
        self._launcher = launcher
        self._params: dict[str, Any] = getattr(launcher, "params", {})  # submitit's
        self._own = dict(self._params)
        self._at_once = 1

    @contextmanager
    def started(self, jobs: Sequence[Settings], count: int) -> Iterator[None]:
        """Only keep numbers: Hydra's launchers start when they receive jobs.

        Raises:
            SettingsError: when a job needs what the launcher cannot ask for.
        """
        self._at_once = worker_count(jobs, count)
        asked = next((job for job in jobs if job.resources != AUTO), None)
        if asked and not self._asks:
            raise SettingsError(
                [
                    "resources: only hydra/launcher=workers, ray and submitit_slurm place jobs by "
                    "what they need."
                ]
            )
        yield

    def run(self, jobs: Sequence[LaunchedJob], store: Store, fail_fast: bool) -> list[Failure]:
        """Pass all jobs to the launcher at once, or one by one with `fail_fast`.

        A failed job does not stop the others, unless the launcher itself gives up.
        """
        failures: list[Failure] = []
        batch = 1 if fail_fast else len(jobs)
        for start in range(0, len(jobs), batch):
            failures += self._launch(jobs[start : start + batch], start)
            if ends_sweep(failures, fail_fast):
                break
        return failures

    def search(self, source: JobSource, store: Store) -> None:
        """Pass some jobs at a time to the launcher; none of them can be stopped early."""
        while batch := dict(islice(iter(source.next, None), self._at_once)):
            jobs = list(batch.values())
            failures = {failure.job: failure for failure in self._launch(jobs, min(batch))}
            of_all = failures.get(_together(jobs))
            for number, job in batch.items():
                source.ended(number, failures.get(job.name, of_all))

    def _launch(self, jobs: Sequence[LaunchedJob], start: int) -> list[Failure]:
        lines = [[job_override(job.values, job.overrides)] for job in jobs]
        self._ask_for(jobs)
        try:
            returned = self._launcher.launch(lines, start)
        except Exception as error:  # joblib and submitit give up when a process dies
            return [Failure.of(_together(jobs), error)]
        return [
            Failure.of(job.name, one._return_value)
            for job, one in zip(jobs, returned, strict=True)
            if one.status is JobStatus.FAILED
        ]

    @property
    def _asks(self) -> bool:
        """Whether the launcher is submitit's, which asks Slurm for what a job needs."""
        return "cpus_per_task" in self._params

    def _ask_for(self, jobs: Sequence[LaunchedJob]) -> None:
        """Ask for the largest needs, since an array has one; options of the launcher come first."""
        if not self._asks:
            return
        needs = [submitit_parameters(job.resources, job.threads) for job in jobs]
        for key in needs[0]:
            if self._own[key] is None:
                self._params[key] = max(need[key] for need in needs) or None


def _together(jobs: Sequence[LaunchedJob]) -> str:
    return f"{len(jobs)} jobs"
