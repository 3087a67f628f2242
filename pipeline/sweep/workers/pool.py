"""Runs jobs in worker processes on this machine.

TensorFlow is imported once, by the process that workers are forked from. A worker trains one job
after another, preferably of the same model, which it compiles only once. It is replaced after
`JOBS_PER_WORKER` jobs, since each fit leaks about 11 MiB. If it dies, only its current job fails.
"""

import os
import sys
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from multiprocessing import forkserver, get_context
from pathlib import Path

from pebble import ProcessPool

from pipeline.cli.progress import SweepProgress
from pipeline.data.catalogue import spec_of
from pipeline.data.sharing import sharing_data
from pipeline.sweep.cores import VISIBLE_GPUS, cores_each, gpus
from pipeline.sweep.launchers import Failure, JobSource, ends_sweep
from pipeline.sweep.schedule import LaunchedJob
from pipeline.sweep.workers.events import EventReader
from pipeline.sweep.workers.watched_jobs import WatchedJob, end_run_of, newly_ended
from pipeline.sweep.workers.worker import STOP, initialize, train
from pipeline.tracking.store import Store
from pipeline.tracking.temporary_folder import temporary_folder

JOBS_PER_WORKER = 25
_FORKS = sys.platform == "linux"  # on other systems the libraries do not survive a fork
_LOOK_SECONDS = 0.05
_STOPPING_SECONDS = 15.0  # for workers to mark their runs KILLED before they are killed
_THREADS = ("TF_NUM_INTEROP_THREADS", "OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS")


@dataclass
class _Worker:
    """A worker process, or its replacement, and its latest job.

    Each is a pool of one process: a larger pool does not say which process takes a job.
    """

    pool: ProcessPool
    gpu: str | None  # the only GPU that it sees, if there are any
    job: WatchedJob | None = None
    model: str = ""  # key of the model that it has compiled
    threads: int | None = None  # of its latest job; a process cannot change them

    @property
    def is_free(self) -> bool:
        return self.job is None or self.job.over


class WorkerJobs:
    """Runs jobs in worker processes and shows their progress."""

    def __init__(self) -> None:
        self._folder = Path()
        self._workers: list[_Worker] = []

    @contextmanager
    def started(self, workers: int) -> Iterator[None]:
        """Start the workers, which import TensorFlow while the sweep is planned."""
        with temporary_folder() as self._folder, sharing_data(self._folder):
            self._start(workers)
            try:
                yield
            finally:
                self._end_workers()

    def _start(self, workers: int) -> None:
        for variable in _THREADS:
            os.environ.setdefault(variable, str(cores_each(workers)))
        visible: list[str | None] = [*gpus()] or [None]
        for number in range(workers):
            gpu = visible[number % len(visible)]
            self._workers.append(_Worker(self._pool(gpu), gpu))
        if _FORKS:
            forkserver.set_forkserver_preload(["pipeline.sweep.workers.preloaded"])
            forkserver.ensure_running()
        else:
            for worker in self._workers:
                worker.pool.schedule(time.sleep, args=(0,))  # a pool starts at its first task

    def _pool(self, gpu: str | None) -> ProcessPool:
        return ProcessPool(
            max_workers=1,
            max_tasks=JOBS_PER_WORKER,
            initializer=initialize,
            initargs=(str(self._folder), {VISIBLE_GPUS: gpu} if gpu else {}),
            context=get_context("forkserver" if _FORKS else "spawn"),
        )

    def run(self, jobs: Sequence[LaunchedJob], store: Store, fail_fast: bool) -> list[Failure]:
        """Run jobs to their ends; with `fail_fast` stop at the first that fails."""
        names = [job.name for job in jobs]
        data = [spec_of(job.values["dataset"]["name"]).title for job in jobs]
        waiting = in_order(jobs, several=len(self._workers) > 1)
        watched, failures = list[WatchedJob](), list[Failure]()
        with SweepProgress(names, data, [job.values["epochs"] for job in jobs]) as progress:
            try:
                while waiting or not all(job.over for job in watched):
                    watched += self._hand_out(jobs, waiting)
                    time.sleep(_LOOK_SECONDS)
                    for _, failure in newly_ended(watched, progress, store):
                        failures += [failure] if failure else []
                    if ends_sweep(failures, fail_fast):
                        break
                return failures
            finally:
                self._end(watched, store)

    def _hand_out(self, jobs: Sequence[LaunchedJob], waiting: list[int]) -> Iterator[WatchedJob]:
        """Give each free worker a waiting job."""
        for worker in self._workers:
            if worker.is_free and waiting:
                taken = {other.model for other in self._workers}
                number = choice(jobs, waiting, worker.model, worker.threads, taken)
                waiting.remove(number)
                yield self._give(worker, number, jobs[number])

    def search(self, source: JobSource, store: Store) -> None:
        """Keep all workers busy; each new job is chosen by the outcome of earlier ones."""
        watched: list[WatchedJob] = []
        with SweepProgress([], [], [], source.left) as progress:
            try:
                while self._supply(source, watched, progress):
                    time.sleep(_LOOK_SECONDS)
                    for job, failure in newly_ended(watched, progress, store, source.epoch):
                        source.ended(job.number, failure)
            finally:
                self._end(watched, store)

    def _supply(
        self, source: JobSource, watched: list[WatchedJob], progress: SweepProgress
    ) -> bool:
        """Give free workers a job; return whether any job is running."""
        while free := [worker for worker in self._workers if worker.is_free]:
            job = source.next()
            if job is None:
                break
            title = spec_of(job.values["dataset"]["name"]).title
            number = progress.add(job.name, title, job.values["epochs"])
            worker = min(free, key=lambda one: (one.model != job.model, one.threads != job.threads))
            watched.append(self._give(worker, number, job))
        return not all(job.over for job in watched)

    def _give(self, worker: _Worker, number: int, job: LaunchedJob) -> WatchedJob:
        if worker.job is not None and worker.threads != job.threads:
            worker.pool.stop()
            worker.pool.join()
            worker.pool = self._pool(worker.gpu)
        log, events = self._folder / f"{number}.log", self._folder / f"{number}.events"
        arguments = (dict(job.values), list(job.overrides), str(log), str(events))
        future = worker.pool.schedule(train, args=arguments)
        worker.job = WatchedJob(number, job.name, future, EventReader(events), log)
        worker.model, worker.threads = job.model, job.threads
        return worker.job

    def _end(self, watched: Sequence[WatchedJob], store: Store) -> None:
        """Ask busy workers to end their run, then end all workers."""
        (self._folder / STOP).touch()
        waited = time.monotonic()
        while deaf := [job for job in watched if job.future.running()]:
            if time.monotonic() - waited > _STOPPING_SECONDS:
                break
            time.sleep(_LOOK_SECONDS)
        self._end_workers()
        for job in deaf:
            end_run_of(job, store, "KILLED")

    def _end_workers(self) -> None:
        for worker in self._workers:
            worker.pool.stop()
        for worker in self._workers:
            worker.pool.join()


def in_order(jobs: Sequence[LaunchedJob], several: bool) -> list[int]:
    """Return the indices of jobs in the order in which workers should take them.

    Args:
        jobs: the jobs.
        several: whether there are several workers. If so, the longest jobs come first, so that none
            of them is left for a single worker at the end.
    """
    costs = [job.cost if several else 0 for job in jobs]
    return sorted(range(len(jobs)), key=lambda number: -costs[number])


def choice(
    jobs: Sequence[LaunchedJob],
    waiting: Sequence[int],
    own: str,
    threads: int | None,
    taken: set[str],
) -> int:
    """Return the index of the job for a free worker.

    A job of the worker's own model is preferred, then one with its number of threads, then one
    whose model no other worker has.

    Args:
        jobs: all jobs.
        waiting: indices of the jobs that are not started, in order of preference.
        own: key of the model that the worker has compiled.
        threads: the number of threads that it started with.
        taken: keys of the models of all workers.
    """
    return min(
        waiting,
        key=lambda one: (
            jobs[one].model != own,
            jobs[one].threads != threads,
            jobs[one].model in taken,
        ),
    )
