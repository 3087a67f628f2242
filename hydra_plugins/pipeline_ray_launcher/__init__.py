"""Hydra's plugin namespace for launchers; `pipeline.sweep.ray_jobs` does the work."""

import socket
from importlib.util import find_spec
from typing import TYPE_CHECKING

from hydra.types import HydraContext, TaskFunction
from omegaconf import DictConfig

from hydra_plugins.pipeline_launcher import WatchingLauncher

if TYPE_CHECKING:
    from pipeline.sweep.launchers import JobLauncher

_PATIENCE_SECONDS = 10.0


class RayLauncher(WatchingLauncher):
    """Runs each job as a task of a Ray cluster."""

    def __init__(self, address: str | None, jobs_per_worker: int) -> None:
        self.address, self.jobs_per_worker = address, jobs_per_worker

    def setup(
        self, *, hydra_context: HydraContext, task_function: TaskFunction, config: DictConfig
    ) -> None:
        """Refuse, before anything is planned, if Ray is not available."""
        from pipeline.settings import SettingsError

        if fault := _fault(self.address):
            raise SettingsError([fault])

    def job_launcher(self) -> "JobLauncher":
        """Return the tasks of the cluster."""
        from pipeline.sweep.ray_jobs import RayJobs

        return RayJobs(self.address, self.jobs_per_worker)


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
