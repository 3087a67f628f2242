"""Jobs in worker processes of this machine.

TensorFlow is imported once, by a process that workers are forked from. A worker trains one job
after the other, and is replaced after some, since each fit leaks about 11 MiB. Its death costs the
job that it was training, no other.
"""

import os
import sys
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from multiprocessing import forkserver, get_context
from pathlib import Path

from pebble import ProcessPool

from pipeline.data_loading import sharing_data
from pipeline.datasets.catalogue import SPECS
from pipeline.sweep import worker
from pipeline.sweep.events import EventReader
from pipeline.sweep.launching import Failure, Source
from pipeline.sweep.own_folder import own_folder
from pipeline.sweep.schedule import LaunchedJob
from pipeline.sweep.threads import cores_each
from pipeline.sweep.watched_jobs import WatchedJob, end_run_of, newly_ended
from pipeline.terminal.progress import SweepProgress
from pipeline.tracking.store import Store

JOBS_PER_WORKER = 25
_FORKS = sys.platform == "linux"  # elsewhere libraries do not survive a fork
_LOOK_SECONDS = 0.1
_STOPPING_SECONDS = 15.0  # for runs to be marked KILLED, before their processes are
_NUMBERS = ("seed", "learning_rate", "sweep")  # settings that a compiled model does not depend on
_THREADS = ("TF_NUM_INTEROP_THREADS", "OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS")


class WorkerJobs:
    """Runs jobs in a pool of processes; also shows how far they are."""

    def __init__(self) -> None:
        self._folder = Path()
        self._pool: ProcessPool | None = None
        self._workers = 1

    @contextmanager
    def started(self, workers: int) -> Iterator[None]:
        """Start the workers: they import TensorFlow while the sweep is being planned."""
        with own_folder() as self._folder, sharing_data(self._folder):
            self._start(workers)
            try:
                yield
            finally:
                self._end_workers()

    def _start(self, workers: int) -> None:
        for variable in _THREADS:
            os.environ.setdefault(variable, str(cores_each(workers)))
        self._workers = workers
        self._pool = ProcessPool(
            max_workers=workers,
            max_tasks=JOBS_PER_WORKER,
            initializer=worker.initialize,
            initargs=(str(self._folder),),
            context=get_context("forkserver" if _FORKS else "spawn"),
        )
        if _FORKS:
            forkserver.set_forkserver_preload(["pipeline.sweep.preloaded"])
            forkserver.ensure_running()
        else:
            self._pool.schedule(time.sleep, args=(0,))  # a pool starts with its first task

    def run(self, jobs: Sequence[LaunchedJob], store: Store, fail_fast: bool) -> list[Failure]:
        """Run jobs to their ends; with `fail_fast` stop at the first that fails."""
        assert self._pool is not None
        names = [job.name for job in jobs]
        data = [SPECS[job.values["dataset"]["name"]].title for job in jobs]
        with SweepProgress(names, data, [job.values["epochs"] for job in jobs]) as progress:
            watched = [self._schedule(number, jobs[number]) for number in self._order(jobs)]
            try:
                failures = _watch(watched, progress, store, fail_fast)
                if not (failures and fail_fast):
                    self._pool.close()
                return failures
            finally:
                self._end(watched, store)

    def _order(self, jobs: Sequence[LaunchedJob]) -> list[int]:
        """The longest first, lest one worker be left with it in the end; as given, for only one.

        Those with the same model follow one another: a worker compiles it once.
        """
        costs = [job.cost if self._workers > 1 else 0 for job in jobs]
        models = [_model(job) for job in jobs]
        first = {model: number for number, model in reversed(list(enumerate(models)))}
        return sorted(range(len(jobs)), key=lambda number: (-costs[number], first[models[number]]))

    def search(self, source: Source, store: Store, workers: int) -> None:
        """Keep `workers` jobs going, each new one chosen by what the earlier ones gave."""
        assert self._pool is not None
        watched: list[WatchedJob] = []
        with SweepProgress([], [], [], source.left) as progress:
            try:
                while self._supply(source, watched, workers, progress):
                    time.sleep(_LOOK_SECONDS)
                    for job, failure in newly_ended(watched, progress, store, source.epoch):
                        source.ended(job.number, failure)
                self._pool.close()
            finally:
                self._end(watched, store)

    def _supply(
        self, source: Source, watched: list[WatchedJob], workers: int, progress: SweepProgress
    ) -> bool:
        """Give free workers something to do; whether any has."""
        while sum(not job.over for job in watched) < workers:
            job = source.next()
            if job is None:
                break
            title = SPECS[job.values["dataset"]["name"]].title
            number = progress.add(job.name, title, job.values["epochs"])
            watched.append(self._schedule(number, job))
        return not all(job.over for job in watched)

    def _schedule(self, number: int, job: LaunchedJob) -> WatchedJob:
        assert self._pool is not None
        log, events = self._folder / f"{number}.log", self._folder / f"{number}.events"
        arguments = (dict(job.values), list(job.overrides), str(log), str(events))
        future = self._pool.schedule(worker.train, args=arguments)
        return WatchedJob(number, job.name, future, EventReader(events), log)

    def _end(self, watched: Sequence[WatchedJob], store: Store) -> None:
        """Ask workers that are still at a job to end its run, then end them all."""
        assert self._pool is not None
        (self._folder / worker.STOP).touch()
        waited = time.monotonic()
        while deaf := [job for job in watched if job.future.running()]:
            if time.monotonic() - waited > _STOPPING_SECONDS:
                break
            time.sleep(_LOOK_SECONDS)
        self._end_workers()
        for job in deaf:
            end_run_of(job, store, "KILLED")

    def _end_workers(self) -> None:
        assert self._pool is not None
        self._pool.stop()
        self._pool.join()


def _model(job: LaunchedJob) -> str:
    """What a compiled model depends on, and a little more."""
    return repr({key: job.values[key] for key in job.values if key not in _NUMBERS})


def _watch(
    watched: Sequence[WatchedJob], progress: SweepProgress, store: Store, fail_fast: bool
) -> list[Failure]:
    """Show what the jobs tell until all are over, or one has failed and that is enough."""
    failures: list[Failure] = []
    while not all(job.over for job in watched):
        time.sleep(_LOOK_SECONDS)
        for _, failure in newly_ended(watched, progress, store):
            failures += [failure] if failure else []
        if failures and fail_fast:
            break
    return failures
