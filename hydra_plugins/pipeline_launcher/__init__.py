"""Hydra's plugin namespace for launchers; `pipeline.sweep.workers.pool` does the work."""

from collections.abc import Sequence

from hydra.core.utils import JobReturn
from hydra.plugins.launcher import Launcher
from hydra.types import HydraContext, TaskFunction
from omegaconf import DictConfig


class WorkersLauncher(Launcher):
    """The default launcher: it selects the worker processes of this project.

    The sweeper hands its checked jobs to the worker pool directly. They need not be composed again
    as for other launchers, so `launch` is never called.
    """

    def setup(
        self, *, hydra_context: HydraContext, task_function: TaskFunction, config: DictConfig
    ) -> None:
        """Do nothing: this launcher has no state."""

    def launch(
        self, job_overrides: Sequence[Sequence[str]], initial_job_idx: int
    ) -> Sequence[JobReturn]:
        """Refuse to run: another sweeper would bypass the plan."""
        from pipeline.settings import SettingsError

        raise SettingsError(["hydra/sweeper must be pipeline or optuna: it plans the jobs."])
