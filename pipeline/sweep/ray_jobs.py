"""Runs jobs as tasks of a Ray cluster; a failed job or a lost node does not affect other jobs."""

import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from pipeline.errors import ClusterLostError
from pipeline.settings import Settings, refuse
from pipeline.sweep.cores import threads_within_operation
from pipeline.sweep.job_loop import JobLoop
from pipeline.sweep.launchers import Failure, JobSource
from pipeline.sweep.needs import Need, cluster_need
from pipeline.sweep.ray_cluster import ENDING_SECONDS, cluster, impossible, places, ray
from pipeline.sweep.ray_events import Mailbox, ReceivedEvents
from pipeline.sweep.ray_task import run_task, task_options
from pipeline.sweep.schedule import LaunchedJob
from pipeline.sweep.workers.watched_jobs import ProcessLostError, WatchedJob, end_run_of
from pipeline.tracking.store import Store

_PATIENCE_SECONDS = 15.0  # for interrupted jobs to mark their runs
_LOST_SECONDS = 60.0  # for a lost node to be replaced, if no other can take the jobs that are left


class _Outcome:
    """How a task ends, in the form of `concurrent.futures.Future`."""

    def __init__(self, reference: Any):
        self.reference = reference

    def done(self) -> bool:
        return bool(ray.wait([self.reference], timeout=0)[0])

    def running(self) -> bool:
        return not self.done()

    def result(self) -> Failure | None:
        try:
            failure: Failure | None = ray.get(self.reference)
        except ray.exceptions.RayTaskError:  # raised by the task, in a process that still lives
            raise
        except ray.exceptions.RayError as error:
            raise ProcessLostError(f"its process died ({type(error).__name__}).") from error
        return failure


class RayJobs(JobLoop):
    """Runs jobs on a Ray cluster and shows their progress.

    Args:
        address: address of a running cluster; None starts one on this machine.
        jobs_per_worker: number of jobs after which a worker process is replaced.
    """

    look_seconds = 0.2  # each look asks another process

    def __init__(self, address: str | None, jobs_per_worker: int):
        self._address = address
        self._task = ray.remote(max_calls=jobs_per_worker, max_retries=0)(run_task)

    @contextmanager
    def started(self, jobs: Sequence[Settings], count: int) -> Iterator[None]:
        """Start or join the cluster, and an actor that receives the events of jobs.

        Raises:
            SettingsError: when there is no cluster, or no node has what a job needs.
        """
        self._workers = jobs[0].running.workers
        self._needs = {cluster_need(job.resources, threads_within_operation(job)) for job in jobs}
        with cluster(self._address):
            refuse(impossible(ray.nodes(), self._needs))
            self._placeable = time.monotonic()
            self._mailbox = _on_this_machine(Mailbox)
            yield

    def _start_next(self, source: JobSource, busy: Sequence[WatchedJob]) -> WatchedJob | None:
        found = source.next() if len(busy) < self._places(busy) else None
        return self._submitted(*found) if found else None

    def _places(self, busy: Sequence[WatchedJob]) -> int:
        """Return how many jobs may run at a time; nodes come and go.

        With jobs of different needs it counts the smallest: Ray lets the others wait for a place.
        Without any node, one job waits for one: a sweep with jobs left does not end silently.

        Raises:
            ClusterLostError: when the nodes have been lost that could take any of the jobs.
        """
        nodes = ray.nodes()
        self._expect_place(nodes, {job.job.need for job in busy} or self._needs)
        fitting = max(places(nodes, need) for need in self._needs)
        return max(1, fitting) if self._workers == "auto" else self._workers

    def _expect_place(self, nodes: Sequence[dict[str, Any]], needs: set[Need]) -> None:
        faults = impossible(nodes, needs)
        if len(faults) < len(needs):
            self._placeable = time.monotonic()
        elif time.monotonic() - self._placeable > _LOST_SECONDS:
            raise ClusterLostError(" ".join(faults))

    def _submitted(self, number: int, job: LaunchedJob) -> WatchedJob:
        reference = self._task.options(**task_options(job)).remote(
            dict(job.values), list(job.overrides), str(Path.cwd()), self._mailbox, number
        )
        return WatchedJob(number, job, _Outcome(reference), ReceivedEvents(self._mailbox, number))

    def _end(self, busy: Sequence[WatchedJob], store: Store) -> None:
        """Interrupt the jobs, then kill the processes of those that do not end."""
        _cancel(busy, _PATIENCE_SECONDS)
        deaf = [job for job in busy if job.future.running()]
        _cancel(deaf, ENDING_SECONDS, force=True)
        for job in deaf:
            end_run_of(job, store, "KILLED")


def _on_this_machine(actor: type[Mailbox]) -> Any:
    """Start an actor that is lost only together with the sweep."""
    here = ray.util.scheduling_strategies.NodeAffinitySchedulingStrategy(
        ray.get_runtime_context().get_node_id(), soft=False
    )
    return ray.remote(actor).options(num_cpus=0, scheduling_strategy=here).remote()


def _cancel(jobs: Sequence[WatchedJob], patience: float, force: bool = False) -> None:
    """Interrupt jobs, or kill their processes, and wait for them."""
    references = [job.future.reference for job in jobs if isinstance(job.future, _Outcome)]
    for reference in references:
        ray.cancel(reference, force=force)
    if references:
        ray.wait(references, num_returns=len(references), timeout=patience)
