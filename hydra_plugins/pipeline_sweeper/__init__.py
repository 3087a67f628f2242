"""Hydra looks for sweepers in this namespace; the work is done in `pipeline.sweep`."""

from typing import Any

from hydra._internal.core_plugins.basic_sweeper import BasicSweeper
from hydra.types import RunMode
from omegaconf import DictConfig

from hydra_plugins.pipeline_launcher import WorkersLauncher


class PipelineSweeper(BasicSweeper):
    """Hydra's grid of overrides, checked as a whole before the first job starts."""

    def sweep(self, arguments: list[str]) -> Any:
        """Plan the sweep and run what is not done with whatever launcher is configured."""
        from pipeline.sweep.launching import HydraJobs
        from pipeline.sweep.plan import plan_sweep
        from pipeline.sweep.sweep import conduct
        from pipeline.sweep.workers import WorkerJobs

        assert self.hydra_context is not None
        assert self.launcher is not None
        loader, launcher = self.hydra_context.config_loader, self.launcher

        def compose(groups: list[str]) -> DictConfig:
            assert self.config is not None
            name = self.config.hydra.job.config_name
            return loader.load_configuration(name, groups, run_mode=RunMode.RUN)

        plan = plan_sweep([*self._parse_config(), *arguments], compose, loader.get_group_options)
        ours = isinstance(launcher, WorkersLauncher)
        conduct(plan, WorkerJobs() if ours else HydraJobs(launcher))
