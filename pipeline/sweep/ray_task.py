"""One job as a task of Ray: what it asks for, and what its process does."""

import os
import signal
import tempfile
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from pipeline.job.interruption import interrupted_by
from pipeline.sweep.cores import VISIBLE_GPUS, WITHIN_OPERATION
from pipeline.sweep.launchers import Failure
from pipeline.sweep.ray_events import Event, MailedEvents
from pipeline.sweep.schedule import LaunchedJob
from pipeline.sweep.workers.worker import kept_output

_BETWEEN_OPERATIONS = "TF_NUM_INTEROP_THREADS"


def task_options(job: LaunchedJob) -> dict[str, Any]:
    """Return where Ray may place a job, and the environment of its process.

    Ray reuses a process only for jobs with the same environment, so a process has one number of
    threads within an operation, which it cannot change and the last bit of a result depends on.
    """
    need = job.need
    environment = {
        WITHIN_OPERATION: os.environ.get(WITHIN_OPERATION) or str(job.threads),
        _BETWEEN_OPERATIONS: os.environ.get(_BETWEEN_OPERATIONS) or str(need.cpus),
    }
    if not need.gpus:
        environment[VISIBLE_GPUS] = ""
    return {
        "num_cpus": need.cpus,
        "num_gpus": need.gpus,
        "memory": need.memory,
        "runtime_env": {"env_vars": environment},
    }


def run_task(
    values: Mapping[str, Any], overrides: Sequence[str], folder: str, mailbox: Any, number: int
) -> Failure | None:
    """Run a job in this process.

    Args:
        folder: the working directory of the command, which contains a local store.

    Returns:
        The failure, without the name of the job; None if it finished or was pruned.
    """
    import ray

    from pipeline.sweep.launched_job import outcome_of_job

    def send(event: Event) -> str | None:
        reason: str | None = ray.get(mailbox.write.remote(number, event))
        return reason

    if Path(folder).is_dir():
        os.chdir(folder)
    elif values["tracking"]["kind"] == "local":
        return Failure(
            "",
            f"tracking=local: {folder} is not on the machine that this job was put on; "
            "use tracking=server.",
            "",
        )
    with tempfile.TemporaryDirectory() as own:
        log = Path(own) / "output.log"
        with kept_output(log), interrupted_by(signal.SIGINT):  # Ray cancels with it
            return outcome_of_job(values, overrides, MailedEvents(send), log)
