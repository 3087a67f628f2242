"""Hydra's plugin namespace for launchers; `pipeline.sweep.workers.pool` does the work."""

from abc import ABC, abstractmethod
from collections.abc import Sequence
from typing import TYPE_CHECKING

from hydra.core.utils import JobReturn
from hydra.plugins.launcher import Launcher
from hydra.types import HydraContext, TaskFunction
from omegaconf import DictConfig

if TYPE_CHECKING:
    from pipeline.sweep.launchers import JobLauncher


class WatchingLauncher(Launcher, ABC):
    """A launcher of this project: it watches its jobs while they run, and can stop them.

    The sweeper hands its checked jobs to `job_launcher` directly. They need not be composed again
    as for other launchers, so `launch` is never called.
    """

    def setup(
        self, *, hydra_context: HydraContext, task_function: TaskFunction, config: DictConfig
    ) -> None:
        """Do nothing: jobs need no more than their configuration."""

    def launch(
        self, job_overrides: Sequence[Sequence[str]], initial_job_idx: int
    ) -> Sequence[JobReturn]:
        """Refuse to run: another sweeper would bypass the plan."""
        from pipeline.settings import SettingsError

        raise SettingsError(["hydra/sweeper must be pipeline or optuna: it plans the jobs."])

    @abstractmethod
    def job_launcher(self) -> "JobLauncher":
        """Return what runs the jobs."""


class WorkersLauncher(WatchingLauncher):
    """The default launcher: worker processes on this machine."""

    def job_launcher(self) -> "JobLauncher":
        """Return the worker processes."""
        from pipeline.sweep.workers.pool import WorkerJobs

        return WorkerJobs()
