"""Two ways to get jobs done: by workers of our own, or by any launcher that Hydra has."""

import traceback
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Protocol

from hydra.core.utils import JobStatus
from hydra.plugins.launcher import Launcher

from pipeline.errors import summary
from pipeline.sweep.schedule import LaunchedJob
from pipeline.tracking.store import Store


@dataclass(frozen=True)
class Failure:
    """A job that raised, or whose process died: what in one line, and where."""

    job: str
    error: str
    trace: str


class Launching(Protocol):
    """Runs jobs."""

    def prepare(self, workers: int) -> None:
        """Called before anything else is done, for what can go on meanwhile."""

    def run(self, jobs: Sequence[LaunchedJob], store: Store, fail_fast: bool) -> list[Failure]:
        """Run jobs to their ends; with `fail_fast` stop at the first that fails.

        Raises:
            KeyboardInterrupt: when the sweep was interrupted; every run has ended truthfully.
        """


class HydraJobs:
    """Jobs by one of Hydra's launchers: basic, joblib, submitit, ray, ..."""

    def __init__(self, launcher: Launcher):
        self._launcher = launcher

    def prepare(self, workers: int) -> None:
        """A launcher of Hydra's starts when it is given jobs."""

    def run(self, jobs: Sequence[LaunchedJob], store: Store, fail_fast: bool) -> list[Failure]:
        """Give all jobs to the launcher at once; one after the other if the first failure ends it.

        A job's failure, where the launcher survives it, does not stop the others.
        """
        failures: list[Failure] = []
        batch = 1 if fail_fast else len(jobs)
        for start in range(0, len(jobs), batch):
            failures += self._launch(jobs[start : start + batch], start)
            if failures and fail_fast:
                break
        return failures

    def _launch(self, jobs: Sequence[LaunchedJob], start: int) -> list[Failure]:
        try:
            returned = self._launcher.launch([job.overrides for job in jobs], start)
        except Exception as error:  # joblib and submitit give up when a process of theirs dies
            return [_failure(f"{len(jobs)} jobs", error)]
        return [
            _failure(job.name, one._return_value)
            for job, one in zip(jobs, returned, strict=True)
            if one.status is JobStatus.FAILED
        ]


def _failure(job: str, error: BaseException) -> Failure:
    return Failure(job, summary(error), "".join(traceback.format_exception(error)))
