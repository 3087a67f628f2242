"""Runs the jobs of a sweep as tasks of a Ray cluster; a failed job does not affect others."""

import logging
import os
import secrets
import signal
import tempfile
import traceback
from collections.abc import Iterator, Sequence
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import psutil
from hydra.core.singleton import Singleton
from hydra.core.utils import JobReturn, JobStatus, run_job, setup_globals
from hydra.types import HydraContext, TaskFunction
from omegaconf import DictConfig, open_dict

# Read by Ray: no usage statistics; every line of a job shown, uncoloured; workers with the same
# niceness as the command itself.
os.environ.setdefault("RAY_USAGE_STATS_ENABLED", "0")
os.environ.setdefault("RAY_DEDUP_LOGS", "0")
os.environ.setdefault("RAY_COLOR_PREFIX", "0")
os.environ.setdefault("RAY_worker_niceness", "0")

import ray

from pipeline.errors import StoreError
from pipeline.job.interruption import interrupted_by
from pipeline.settings import SettingsError
from pipeline.sweep.job_document import read_document

_STORE_BYTES = 100 * 2**20  # shared memory for objects; jobs exchange almost none
_PATIENCE_SECONDS = 15.0  # for interrupted jobs to mark their runs
_ENDING_SECONDS = 2.0  # for killed processes to end


@dataclass(frozen=True)
class RayTask:
    """What a job of a sweep needs to run in another process.

    Attributes:
        hydra_context: loads configurations.
        task_function: runs a job, given its configuration.
        config: the configuration of the sweep.
        singletons: Hydra's global state.
        folder: the working directory of the command, which contains a local store.
    """

    hydra_context: HydraContext
    task_function: TaskFunction
    config: DictConfig
    singletons: Any = field(default_factory=Singleton.get_state)
    folder: Path = field(default_factory=Path.cwd)

    def __call__(self, overrides: Sequence[str], number: int, threads: int) -> JobReturn:
        """Run one job in this process; an exception is part of the return value."""
        os.environ["TF_NUM_INTRAOP_THREADS"] = str(threads)  # read on TensorFlow's first use
        setup_globals()
        Singleton.set_state(self.singletons)
        config = self.hydra_context.config_loader.load_sweep_config(self.config, list(overrides))
        with open_dict(config):
            config.hydra.job.id = config.hydra.job.num = number
        self._enter_folder(config.sweep.document)
        with interrupted_by(signal.SIGINT):  # Ray cancels with it
            returned = run_job(
                hydra_context=self.hydra_context,
                task_function=self.task_function,
                config=config,
                job_dir_key="hydra.sweep.dir",
                job_subdir_key="hydra.sweep.subdir",
            )
        if returned.status is JobStatus.FAILED:
            _keep_traceback(returned._return_value)
        return returned

    def _enter_folder(self, document: str) -> None:
        values, _ = read_document(document)
        if self.folder.is_dir():
            os.chdir(self.folder)
        elif values["tracking"]["kind"] == "local":
            raise StoreError(
                f"tracking=local: {self.folder} is not on the machine that this job was put on; "
                "use tracking=server."
            )


def _keep_traceback(error: BaseException) -> None:
    """Attach the traceback as a note: tracebacks are lost between processes, notes are not."""
    error.add_note("".join(traceback.format_exception(error)).rstrip())


@contextmanager
def cluster(address: str | None) -> Iterator[None]:
    """Connect to a Ray cluster for the duration of a block.

    Args:
        address: address of a running cluster; None starts one on this machine, which ends with
            the block.

    Raises:
        SettingsError: when no cluster answers at the address.
    """
    with tempfile.TemporaryDirectory(prefix="ray-", ignore_cleanup_errors=True) as folder:
        if address is None:
            _start(folder)
        else:
            _join(address)
        try:
            yield
        finally:
            _leave()


def _leave() -> None:
    """Disconnect; all processes of a cluster started here end with it, even suspended ones."""
    own = psutil.Process().children(recursive=True)
    ray.shutdown()
    for process in own:
        with suppress(psutil.NoSuchProcess):
            process.kill()
    psutil.wait_procs(own, timeout=_ENDING_SECONDS)


def _start(folder: str) -> None:
    # Ray listens on every interface; clients must know this secret.
    os.environ.setdefault("RAY_AUTH_TOKEN", secrets.token_hex(32))
    ray.init(
        include_dashboard=False,
        object_store_memory=_STORE_BYTES,
        logging_level=logging.ERROR,
        _temp_dir=folder,
    )


def _join(address: str) -> None:
    try:
        ray.init(address=address, logging_level=logging.ERROR)
    except (ConnectionError, ValueError, RuntimeError) as error:
        reason = str(error).splitlines()[0]
        raise SettingsError(
            [f"hydra.launcher.address={address}: no Ray cluster is reached there: {reason}"]
        ) from error


def run_tasks(
    task: RayTask,
    jobs: Sequence[Sequence[str]],
    first: int,
    threads: int,
    jobs_per_worker: int,
) -> list[JobReturn]:
    """Run all jobs, as many at once as the cluster's cores allow.

    Args:
        task: runs one job.
        jobs: the overrides of each job.
        first: number of the first job.
        threads: cores per job.
        jobs_per_worker: number of jobs after which a worker process is replaced.

    Raises:
        KeyboardInterrupt: when interrupted, after the jobs have marked their runs and ended.
    """
    shared = ray.put(task)
    remote = ray.remote(num_cpus=threads, max_retries=0, max_calls=jobs_per_worker)(job)
    references = [
        remote.remote(shared, list(overrides), number, threads)
        for number, overrides in enumerate(jobs, start=first)
    ]
    try:
        return [_returned(reference) for reference in references]
    except KeyboardInterrupt:
        _cancel(references, _PATIENCE_SECONDS)
        _cancel(references, _ENDING_SECONDS, force=True)
        raise


def _cancel(references: list[Any], patience: float, force: bool = False) -> None:
    """Interrupt jobs, or kill their processes, and wait for them; finished jobs are ignored."""
    for reference in references:
        ray.cancel(reference, force=force)
    ray.wait(references, num_returns=len(references), timeout=patience)


def job(task: RayTask, overrides: Sequence[str], number: int, threads: int) -> JobReturn:
    """Run one job; Ray prefixes every line that it prints with this name."""
    return task(overrides, number, threads)


def _returned(reference: Any) -> JobReturn:
    """Return a job's result; if the job or its worker was lost, Ray's error."""
    try:
        returned: JobReturn = ray.get(reference)
    except ray.exceptions.RayError as error:
        lost = JobReturn()
        lost.status, lost.return_value = JobStatus.FAILED, error
        return lost
    return returned
