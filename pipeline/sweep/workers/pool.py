"""Runs jobs in worker processes on this machine.

TensorFlow is imported once, by the process that workers are forked from. A worker trains one job
after another, preferably of the same model, which it compiles only once. It is replaced after
`JOBS_PER_WORKER` jobs, since each fit leaks about 11 MiB. If it dies, only its current job fails.
"""

import os
import sys
import time
from collections.abc import Collection, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from functools import partial
from multiprocessing import forkserver, get_context
from pathlib import Path

from pebble import ProcessPool

from pipeline.data.sharing import sharing_data
from pipeline.settings import Settings
from pipeline.sweep.cores import (
    VISIBLE_GPUS,
    check_needs,
    cores_each,
    gpus_each,
    gpus_of,
    worker_count,
)
from pipeline.sweep.job_loop import JobLoop
from pipeline.sweep.launchers import JobSource
from pipeline.sweep.schedule import LaunchedJob
from pipeline.sweep.workers.events import EventReader
from pipeline.sweep.workers.watched_jobs import WatchedJob, end_run_of
from pipeline.sweep.workers.worker import STOP, initialize, train
from pipeline.tracking.store import Store
from pipeline.tracking.temporary_folder import temporary_folder

JOBS_PER_WORKER = 25
_FORKS = sys.platform == "linux"  # on other systems the libraries do not survive a fork
_STOPPING_SECONDS = 15.0  # for workers to mark their runs KILLED before they are killed
_THREADS = ("TF_NUM_INTEROP_THREADS", "OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS")


@dataclass
class Worker:
    """A worker process, or its replacement, and its latest job.

    Each is a pool of one process: a larger pool does not say which process takes a job.
    """

    pool: ProcessPool
    gpus: str | None  # ids of the GPUs that it sees; None if this machine has none
    job: WatchedJob | None = None
    model: str = ""  # key of the model that it has compiled
    threads: int | None = None  # of its latest job; a process cannot change them

    @property
    def is_free(self) -> bool:
        """Whether it has no job."""
        return self.job is None or self.job.over


class WorkerJobs(JobLoop):
    """Runs jobs in worker processes and shows their progress."""

    def __init__(self) -> None:
        self._folder = Path()
        self._workers: list[Worker] = []

    @contextmanager
    def started(self, jobs: Sequence[Settings], count: int) -> Iterator[None]:
        """Start the workers, which import TensorFlow while the sweep is planned.

        Raises:
            SettingsError: when a job needs more than this machine has.
        """
        check_needs(jobs)
        with temporary_folder() as self._folder, sharing_data(self._folder):
            self._start(worker_count(jobs, count), gpus_each(jobs))
            try:
                yield
            finally:
                self._end_workers()

    def _start(self, workers: int, gpus: int) -> None:
        for variable in _THREADS:
            os.environ.setdefault(variable, str(cores_each(workers)))
        for number in range(workers):
            visible = gpus_of(number, gpus)
            self._workers.append(Worker(self._pool(visible), visible))
        if _FORKS:
            forkserver.set_forkserver_preload(["pipeline.sweep.workers.preloaded"])
            forkserver.ensure_running()
        else:
            for worker in self._workers:
                worker.pool.schedule(time.sleep, args=(0,))  # a pool starts at its first task

    def _pool(self, visible: str | None) -> ProcessPool:
        return ProcessPool(
            max_workers=1,
            max_tasks=JOBS_PER_WORKER,
            initializer=initialize,
            initargs=(str(self._folder), {} if visible is None else {VISIBLE_GPUS: visible}),
            context=get_context("forkserver" if _FORKS else "spawn"),
        )

    @property
    def several(self) -> bool:
        """Whether there are several workers."""
        return len(self._workers) > 1

    def _start_next(self, source: JobSource, busy: Sequence[WatchedJob]) -> WatchedJob | None:
        worker = next((worker for worker in self._workers if worker.is_free), None)
        taken = {other.model for other in self._workers}
        found = source.next(partial(misfit, worker, taken)) if worker else None
        return self._give(worker, *found) if worker and found else None

    def _give(self, worker: Worker, number: int, job: LaunchedJob) -> WatchedJob:
        if worker.job is not None and worker.threads != job.threads:
            worker.pool.stop()
            worker.pool.join()
            worker.pool = self._pool(worker.gpus)
        log, events = self._folder / f"{number}.log", self._folder / f"{number}.events"
        arguments = (dict(job.values), list(job.overrides), str(log), str(events))
        future = worker.pool.schedule(train, args=arguments)
        worker.job = WatchedJob(number, job, future, EventReader(events), log)
        worker.model, worker.threads = job.model, job.threads
        return worker.job

    def _end(self, busy: Sequence[WatchedJob], store: Store) -> None:
        """Ask busy workers to end their run, then end all workers."""
        (self._folder / STOP).touch()
        waited = time.monotonic()
        while deaf := [job for job in busy if job.future.running()]:
            if time.monotonic() - waited > _STOPPING_SECONDS:
                break
            time.sleep(self.look_seconds)
        self._end_workers()
        for job in deaf:
            end_run_of(job, store, "KILLED")

    def _end_workers(self) -> None:
        for worker in self._workers:
            worker.pool.stop()
        for worker in self._workers:
            worker.pool.join()


def misfit(worker: Worker, taken: Collection[str], job: LaunchedJob) -> tuple[bool, ...]:
    """Return how little a job suits a worker, to be compared with other jobs.

    A job of the worker's own model is preferred, then one with its number of threads, then one
    whose model no other worker has.
    """
    return job.model != worker.model, job.threads != worker.threads, job.model in taken
