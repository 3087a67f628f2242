"""Jobs in worker processes of this machine.

TensorFlow is imported once, by a process that workers are forked from. A worker trains one job
after the other, and is replaced after some, since each fit leaks about 11 MiB. Its death costs the
job that it was training, no other.
"""

import os
import signal
import sys
import threading
import time
import traceback
from collections.abc import Callable, Iterator, Mapping, Sequence
from concurrent.futures import Future
from contextlib import contextmanager, suppress
from dataclasses import dataclass, replace
from multiprocessing import forkserver, get_context
from pathlib import Path
from types import FrameType
from typing import Any

from pebble import ProcessExpired, ProcessPool

from pipeline.data_loading import share_data, sharing_data
from pipeline.datasets.catalogue import SPECS
from pipeline.errors import summary
from pipeline.interruption import interrupt
from pipeline.sweep.events import EventReader, EventWriter
from pipeline.sweep.launching import Failure, Source
from pipeline.sweep.lifetime import end_with_parent
from pipeline.sweep.output import kept_output
from pipeline.sweep.own_folder import own_folder
from pipeline.sweep.schedule import LaunchedJob
from pipeline.sweep.threads import cores_each
from pipeline.terminal.progress import SweepProgress
from pipeline.tracking.store import Store
from pipeline.training_history import Epoch
from pipeline.watch import Pruned

JOBS_PER_WORKER = 25
_FORKS = sys.platform == "linux"  # elsewhere libraries do not survive a fork
_LOOK_SECONDS = 0.1
_STOP = "stop"  # the file that tells workers, once it is there, that the sweep is over
_STOPPING_SECONDS = 15.0  # for runs to be marked KILLED, before their processes are
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
            initializer=_initialize,
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
        """The longest first, lest one worker be left with it in the end; as given, for only one."""
        costs = [job.cost if self._workers > 1 else 0 for job in jobs]
        return sorted(range(len(jobs)), key=lambda number: -costs[number])

    def search(self, source: Source, store: Store, workers: int) -> None:
        """Keep `workers` jobs going, each new one chosen by what the earlier ones gave."""
        assert self._pool is not None
        watched: list[_Watched] = []
        with SweepProgress([], [], [], source.left) as progress:
            try:
                while self._supply(source, watched, workers, progress):
                    time.sleep(_LOOK_SECONDS)
                    for job, failure in _ended(watched, progress, store, source.epoch):
                        source.ended(job.number, failure)
                self._pool.close()
            finally:
                self._end(watched, store)

    def _supply(
        self, source: Source, watched: "list[_Watched]", workers: int, progress: SweepProgress
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

    def _schedule(self, number: int, job: LaunchedJob) -> "_Watched":
        assert self._pool is not None
        log, events = self._folder / f"{number}.log", self._folder / f"{number}.events"
        arguments = (dict(job.values), list(job.overrides), str(log), str(events))
        future = self._pool.schedule(_train, args=arguments)
        return _Watched(number, job.name, future, EventReader(events), log)

    def _end(self, watched: Sequence["_Watched"], store: Store) -> None:
        """Ask workers that are still at a job to end its run, then end them all."""
        assert self._pool is not None
        (self._folder / _STOP).touch()
        waited = time.monotonic()
        while deaf := [job for job in watched if job.future.running()]:
            if time.monotonic() - waited > _STOPPING_SECONDS:
                break
            time.sleep(_LOOK_SECONDS)
        self._end_workers()
        for job in deaf:
            _end_for_it(job, store, "KILLED")

    def _end_workers(self) -> None:
        assert self._pool is not None
        self._pool.stop()
        self._pool.join()


@dataclass
class _Watched:
    """A job that was given to the pool."""

    number: int
    name: str
    future: "Future[Failure | None]"
    events: EventReader
    log: Path
    run_id: str | None = None
    pruned: bool = False
    over: bool = False


def _watch(
    watched: Sequence[_Watched], progress: SweepProgress, store: Store, fail_fast: bool
) -> list[Failure]:
    """Show what the jobs tell until all are over, or one has failed and that is enough."""
    failures: list[Failure] = []
    while not all(job.over for job in watched):
        time.sleep(_LOOK_SECONDS)
        for _, failure in _ended(watched, progress, store):
            failures += [failure] if failure else []
        if failures and fail_fast:
            break
    return failures


Judge = Callable[[int, Epoch], str | None]  # why a job shall end with this epoch, if it shall


def _ended(
    watched: Sequence[_Watched],
    progress: SweepProgress,
    store: Store,
    judge: Judge = lambda number, epoch: None,
) -> Iterator[tuple[_Watched, Failure | None]]:
    """Show what the jobs have told since; gives those that are over now."""
    for job in (job for job in watched if not job.over):
        over = job.future.done()  # asked first, so that no event is missed
        _show(job, progress, judge)
        if over:
            job.over = True
            failure = _failure(job, store)
            progress.ends(job.number, failed=failure is not None)
            yield job, failure


def _show(job: _Watched, progress: SweepProgress, judge: Judge) -> None:
    for event in job.events.new():
        match event["kind"]:
            case "waits":
                progress.waits(job.number)
            case "starts":
                job.run_id = event["run_id"]
                progress.starts(job.number)
            case "epoch":
                epoch = Epoch(**event["epoch"])
                progress.epoch(job.number, epoch)
                reason = judge(job.number, epoch)
                if reason and not job.pruned:
                    job.pruned = True
                    progress.prunes(job.number, epoch, reason)
                    job.events.prune(reason)


def _failure(job: _Watched, store: Store) -> Failure | None:
    try:
        failure = job.future.result()
        return failure and replace(failure, job=job.name)
    except ProcessExpired as expired:
        told = _told(expired.exitcode)
        _end_for_it(job, store, "FAILED", told)
        return Failure(job.name, told, "")
    except Exception as error:
        return Failure(job.name, summary(error), "")


def _told(exit_code: int) -> str:
    if exit_code < 0:
        name = signal.Signals(-exit_code).name
        reason = "; out of memory is a common reason" if exit_code == -signal.SIGKILL else ""
        return f"its process was killed by {name}{reason}."
    return f"its process ended with exit code {exit_code}."


def _end_for_it(job: _Watched, store: Store, status: str, told: str | None = None) -> None:
    """End the run of a job whose process is dead, and could not."""
    from pipeline.tracking.run import ERROR, LOG, TrackedRun

    if job.run_id is None:
        return
    run = TrackedRun(store.client, job.run_id)
    with suppress(Exception):  # the sweep goes on; the run is recognised as nobody's
        if job.log.is_file():
            run.log_text(job.log.read_text(errors="replace"), LOG)
        if told is not None:
            run.set_tags({ERROR: told})
        run.client.set_terminated(job.run_id, status)


# What follows runs in the worker.


class _Sweep:
    """The sweep that a worker is of."""

    busy = False  # with a job
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


def _initialize(folder: str) -> None:
    """Import what jobs need, and arrange for the end: by a signal, or when the sweep is over."""
    _sweep.parent, _sweep.stop = os.getppid(), Path(folder) / _STOP
    share_data(Path(folder))
    signal.signal(signal.SIGTERM, _interrupt)
    end_with_parent()
    sys.unraisablehook = _interrupt_again
    threading.Thread(target=_end_with_the_sweep, daemon=True).start()
    import pipeline.sweep.preloaded  # noqa: F401


def _interrupt(signal_number: int, frame: FrameType | None) -> None:
    """End the job's run as Ctrl-C does; without a job, just end."""
    if not _sweep.busy:
        os._exit(0)
    signal.signal(signal.SIGTERM, signal.SIG_IGN)  # once is enough
    interrupt()


def _interrupt_again(swallowed: "sys.UnraisableHookArgs") -> None:
    """An interruption that falls into a destructor (TensorFlow has many) is lost: repeat it."""
    if swallowed.exc_type is not KeyboardInterrupt:
        sys.__unraisablehook__(swallowed)
        return
    signal.signal(signal.SIGTERM, _interrupt)
    threading.Timer(_LOOK_SECONDS, os.kill, (os.getpid(), signal.SIGTERM)).start()


def _end_with_the_sweep() -> None:
    while not _sweep.is_over():
        time.sleep(0.5)
    os.kill(os.getpid(), signal.SIGTERM)


def _train(
    values: Mapping[str, Any], overrides: Sequence[str], log: str, events: str
) -> Failure | None:
    """Run one job; what it prints goes to its log."""
    from pipeline.sweep.job import run_job

    if _sweep.is_over():  # the pool hands out what is left all the same
        return Failure("", "interrupted", "")
    with _job(), kept_output(Path(log)):
        try:
            run_job(values, overrides, EventWriter(Path(events)), Path(log))
        except Pruned:
            return None
        except KeyboardInterrupt:
            return Failure("", "interrupted", "")
        except Exception as error:
            return Failure("", summary(error), traceback.format_exc())
    return None


@contextmanager
def _job() -> Iterator[None]:
    _sweep.busy = True
    try:
        yield
    finally:
        _sweep.busy = False
        if _sweep.has_lost_us():  # it counts us as dead: a job that we took would be lost
            os._exit(1)
        signal.signal(signal.SIGTERM, _interrupt)
