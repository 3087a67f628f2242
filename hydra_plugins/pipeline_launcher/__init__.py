"""Hydra's plugin namespace for launchers; `pipeline.sweep.workers.pool` does the work."""

from collections.abc import Sequence

from hydra.core.utils import JobReturn
from hydra.plugins.launcher import Launcher
from hydra.types import HydraContext, TaskFunction
from omegaconf import DictConfig


class WorkersLauncher(Launcher):
    """Names the default way to run jobs, which our sweeper follows with jobs that it has checked.

    They need not be composed again as those of another launcher, so `launch` is never called.
    """

    def setup(
        self, *, hydra_context: HydraContext, task_function: TaskFunction, config: DictConfig
    ) -> None:
        """Nothing to keep."""

    def launch(
        self, job_overrides: Sequence[Sequence[str]], initial_job_idx: int
    ) -> Sequence[JobReturn]:
        """Refused: a sweeper of another kind would leave out the plan."""
        from pipeline.settings import SettingsError

        raise SettingsError(["hydra/sweeper must be pipeline or optuna: it plans the jobs."])
