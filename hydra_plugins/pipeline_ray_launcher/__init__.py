"""Hydra's plugin namespace for launchers; `pipeline.sweep.ray_jobs` does the work."""

import socket
from collections.abc import Sequence
from importlib.util import find_spec

from hydra.core.utils import JobReturn
from hydra.plugins.launcher import Launcher
from hydra.types import HydraContext, TaskFunction
from omegaconf import DictConfig

_PATIENCE_SECONDS = 10.0


class RayLauncher(Launcher):
    """Runs each job as a task of a Ray cluster."""

    def __init__(self, address: str | None, num_cpus: int, jobs_per_worker: int) -> None:
        self.address, self.num_cpus, self.jobs_per_worker = address, num_cpus, jobs_per_worker

    def setup(
        self, *, hydra_context: HydraContext, task_function: TaskFunction, config: DictConfig
    ) -> None:
        """Store what a job needs; refuse before anything is planned if Ray is not available."""
        from pipeline.settings import SettingsError

        if fault := _fault(self.address):
            raise SettingsError([fault])
        self.hydra_context, self.task_function, self.config = hydra_context, task_function, config

    def launch(
        self, job_overrides: Sequence[Sequence[str]], initial_job_idx: int
    ) -> Sequence[JobReturn]:
        """Run one job per list of overrides and return the results in the same order."""
        from pipeline.sweep.ray_jobs import RayTask, cluster, run_tasks

        task = RayTask(self.hydra_context, self.task_function, self.config)
        with cluster(self.address):
            return run_tasks(
                task, job_overrides, initial_job_idx, self.num_cpus, self.jobs_per_worker
            )


def _fault(address: str | None) -> str:
    """Return why Ray cannot be used, or "". Ray itself takes minutes to report no answer."""
    if find_spec("ray") is None:
        return "hydra/launcher=ray needs Ray: pip install 'parity-pipeline[pipeline,ray]'."
    host, _, port = (address or "").rpartition(":")
    if not port.isdigit():
        return ""
    try:
        socket.create_connection((host, int(port)), timeout=_PATIENCE_SECONDS).close()
    except OSError as error:
        reason = error.strerror or error
        return f"hydra.launcher.address={address}: no Ray cluster answers there ({reason})."
    return ""
