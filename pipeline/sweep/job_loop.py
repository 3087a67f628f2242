"""The loop of launchers that watch their jobs: workers on this machine, and tasks of Ray."""

import time
from abc import ABC, abstractmethod
from collections.abc import Sequence

from pipeline.cli.progress import SweepProgress
from pipeline.data.catalogue import spec_of
from pipeline.sweep.launchers import Failure, JobSource, Preference, ends_sweep, no_preference
from pipeline.sweep.schedule import LaunchedJob
from pipeline.sweep.workers.watched_jobs import WatchedJob, newly_ended
from pipeline.tracking.store import Store
from pipeline.training.history import Epoch


class ListedJobs:
    """A `JobSource` whose jobs are known from the start, as those of a grid.

    Args:
        several: whether several jobs run at a time. If so, the longest come first, so that none of
            them is left for a single place at the end.
    """

    def __init__(self, jobs: Sequence[LaunchedJob], fail_fast: bool, several: bool):
        self.left, self.failures = len(jobs), list[Failure]()
        self._jobs, self._fail_fast = jobs, fail_fast
        costs = [job.cost if several else 0 for job in jobs]
        self._waiting = sorted(range(len(jobs)), key=lambda number: -costs[number])

    @property
    def stopped(self) -> bool:
        """Whether a failure has ended the sweep."""
        return ends_sweep(self.failures, self._fail_fast)

    def next(self, preference: Preference = no_preference) -> tuple[int, LaunchedJob] | None:
        """Return the first of the jobs that suit the place best."""
        if not self._waiting:
            return None
        number = min(self._waiting, key=lambda one: preference(self._jobs[one]))
        self._waiting.remove(number)
        return number, self._jobs[number]

    def epoch(self, number: int, epoch: Epoch) -> str | None:
        """Return None: no job is stopped early."""

    def ended(self, number: int, failure: Failure | None) -> None:
        """Keep a failure."""
        self.failures += [failure] if failure else []


class JobLoop(ABC):
    """Implements the jobs of a `JobLauncher`: each free place gets the next job of a source."""

    look_seconds = 0.05

    @property
    def several(self) -> bool:
        """Whether several jobs may run at a time."""
        return True

    def run(self, jobs: Sequence[LaunchedJob], store: Store, fail_fast: bool) -> list[Failure]:
        """Run jobs to their ends; with `fail_fast` stop at the first that fails."""
        listed = ListedJobs(jobs, fail_fast, self.several)
        self.search(listed, store)
        return listed.failures

    def search(self, source: JobSource, store: Store) -> None:
        """Keep all places busy until the source has no more jobs."""
        watched: list[WatchedJob] = []
        with SweepProgress(source.left) as progress:
            try:
                while not source.stopped and self._supply(source, watched, progress):
                    time.sleep(self.look_seconds)
                    for job, failure in newly_ended(watched, progress, store, source.epoch):
                        source.ended(job.number, failure)
            finally:
                self._end([job for job in watched if not job.over], store)

    def _supply(
        self, source: JobSource, watched: list[WatchedJob], progress: SweepProgress
    ) -> bool:
        """Start jobs where places are free; return whether any job is left."""
        while started := self._start_next(source, [one for one in watched if not one.over]):
            job = started.job
            title = spec_of(job.values["dataset"]["name"]).title
            progress.add(started.number, job.name, title, job.values["epochs"])
            watched.append(started)
        return not all(job.over for job in watched)

    @abstractmethod
    def _start_next(self, source: JobSource, busy: Sequence[WatchedJob]) -> WatchedJob | None:
        """Start the next job; return None if no place is free or no job is left."""

    @abstractmethod
    def _end(self, busy: Sequence[WatchedJob], store: Store) -> None:
        """Interrupt the jobs that have not ended, and leave none of them running."""
