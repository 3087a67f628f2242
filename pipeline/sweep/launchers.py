"""Two ways to get jobs done: by workers of our own, or by any launcher that Hydra has."""

import traceback
from collections.abc import Sequence
from contextlib import AbstractContextManager, nullcontext
from dataclasses import dataclass
from itertools import islice
from typing import Protocol

from hydra.core.utils import JobStatus
from hydra.plugins.launcher import Launcher

from pipeline.errors import StoreAwayError, StoreError, summary
from pipeline.sweep.job_document import job_override
from pipeline.sweep.schedule import LaunchedJob
from pipeline.tracking.store import Store
from pipeline.training.history import Epoch


@dataclass(frozen=True)
class Failure:
    """A job that raised, or whose process died: what in one line, and where.

    `store_away` is set where the cause is the tracking store's: any other job would fail, too.
    """

    job: str
    error: str
    trace: str
    store_away: bool = False

    @classmethod
    def of(cls, job: str, error: BaseException) -> "Failure":
        """What a job raised."""
        if isinstance(error, StoreError):  # a sentence says it all
            return cls(job, str(error), "", isinstance(error, StoreAwayError))
        return cls(job, summary(error), "".join(traceback.format_exception(error)))


def ends_sweep(failures: Sequence[Failure], fail_fast: bool) -> bool:
    """Whether no further job need be started."""
    return any(failure.store_away or fail_fast for failure in failures)


class JobSource(Protocol):
    """Gives jobs one by one, and learns from each how to choose the next.

    Attributes:
        left: how many it may give.
    """

    left: int

    def next(self) -> LaunchedJob | None:
        """The next job; None when there are no more."""

    def epoch(self, number: int, epoch: Epoch) -> str | None:
        """An epoch of a job (counted from 0, as given) has ended; why the job shall, or None."""

    def ended(self, number: int, failure: Failure | None) -> None:
        """A job is over."""


class JobLauncher(Protocol):
    """Runs jobs."""

    def started(self, workers: int) -> AbstractContextManager[None]:
        """For the length of a sweep, from before it is planned: what can be got ready meanwhile."""

    def run(self, jobs: Sequence[LaunchedJob], store: Store, fail_fast: bool) -> list[Failure]:
        """Run jobs to their ends; with `fail_fast` stop at the first that fails.

        Raises:
            KeyboardInterrupt: when the sweep was interrupted; every run has ended truthfully.
        """

    def search(self, source: JobSource, store: Store, workers: int) -> None:
        """Run what a source gives, so many jobs at a time, until it gives no more.

        Raises:
            KeyboardInterrupt: as above.
        """


class HydraJobs:
    """Jobs by one of Hydra's launchers: basic, joblib, submitit, ray, ..."""

    def __init__(self, launcher: Launcher):
        self._launcher = launcher

    def started(self, workers: int) -> AbstractContextManager[None]:
        """A launcher of Hydra's starts when it is given jobs."""
        return nullcontext()

    def run(self, jobs: Sequence[LaunchedJob], store: Store, fail_fast: bool) -> list[Failure]:
        """Give all jobs to the launcher at once; one after the other if the first failure ends it.

        A job's failure, where the launcher survives it, does not stop the others.
        """
        failures: list[Failure] = []
        batch = 1 if fail_fast else len(jobs)
        for start in range(0, len(jobs), batch):
            failures += self._launch(jobs[start : start + batch], start)
            if ends_sweep(failures, fail_fast):
                break
        return failures

    def search(self, source: JobSource, store: Store, workers: int) -> None:
        """Give `workers` jobs at a time to the launcher; none of them can be ended early."""
        first = 0
        while jobs := list(islice(iter(source.next, None), workers)):
            failures = {failure.job: failure for failure in self._launch(jobs, first)}
            of_all = failures.get(_together(jobs))
            for number, job in enumerate(jobs, start=first):
                source.ended(number, failures.get(job.name, of_all))
            first += len(jobs)

    def _launch(self, jobs: Sequence[LaunchedJob], start: int) -> list[Failure]:
        lines = [[job_override(job.values, job.overrides)] for job in jobs]
        try:
            returned = self._launcher.launch(lines, start)
        except Exception as error:  # joblib and submitit give up when a process of theirs dies
            return [Failure.of(_together(jobs), error)]
        return [
            Failure.of(job.name, one._return_value)
            for job, one in zip(jobs, returned, strict=True)
            if one.status is JobStatus.FAILED
        ]


def _together(jobs: Sequence[LaunchedJob]) -> str:
    return f"{len(jobs)} jobs"
