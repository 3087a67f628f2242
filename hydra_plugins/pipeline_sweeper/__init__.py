"""Hydra looks for sweepers in this namespace; the work is done in `pipeline.sweep`."""

from typing import TYPE_CHECKING, Any

from hydra._internal.core_plugins.basic_sweeper import BasicSweeper
from hydra.types import RunMode
from omegaconf import DictConfig

from hydra_plugins.pipeline_launcher import WorkersLauncher

if TYPE_CHECKING:
    from pipeline.sweep.launchers import Launching


class PipelineSweeper(BasicSweeper):
    """Hydra's grid of overrides, checked as a whole before the first job starts."""

    def sweep(self, arguments: list[str]) -> Any:
        """Plan the sweep and run what is not done with whatever launcher is configured."""
        from pipeline.sweep.conduct import conduct
        from pipeline.sweep.plan import plan_sweep

        lines = [*self._parse_config(), *arguments]
        conduct(plan_sweep(lines, self._compose, self._group_options), self._launching)

    def _compose(self, groups: list[str]) -> DictConfig:
        assert self.config is not None
        assert self.hydra_context is not None
        loader, name = self.hydra_context.config_loader, self.config.hydra.job.config_name
        return loader.load_configuration(name, groups, run_mode=RunMode.RUN)

    def _group_options(self, group: str) -> list[str]:
        assert self.hydra_context is not None
        return self.hydra_context.config_loader.get_group_options(group)

    def _launching(self) -> "Launching":
        from pipeline.sweep.launchers import HydraJobs
        from pipeline.sweep.workers.pool import WorkerJobs

        assert self.launcher is not None
        ours = isinstance(self.launcher, WorkersLauncher)
        return WorkerJobs() if ours else HydraJobs(self.launcher)
