"""Hydra looks for sweepers in this namespace; the work is done in `pipeline.sweep`."""

from typing import TYPE_CHECKING, Any

from hydra._internal.core_plugins.basic_sweeper import BasicSweeper

from hydra_plugins.pipeline_launcher import WorkersLauncher

if TYPE_CHECKING:
    from pipeline.settings.composer import Composer
    from pipeline.sweep.launchers import Launching


class PipelineSweeper(BasicSweeper):
    """Hydra's grid of overrides, checked as a whole before the first job starts."""

    def sweep(self, arguments: list[str]) -> Any:
        """Plan the sweep and run what is not done with whatever launcher is configured."""
        from pipeline.sweep.conduct import conduct
        from pipeline.sweep.plan import plan_sweep

        conduct(plan_sweep(self._lines(arguments), self._composer()), self._launching)

    def _lines(self, arguments: list[str]) -> list[str]:
        """What a configuration file sweeps over, then what the command line says."""
        return [*self._parse_config(), *arguments]

    def _composer(self) -> "Composer":
        from pipeline.settings import SettingsError
        from pipeline.settings.composer import Composer

        assert self.config is not None
        assert self.hydra_context is not None
        node = self.config.hydra
        if node.job.chdir:
            raise SettingsError(
                ["hydra.job.chdir=true is not supported: jobs work where the command is started."]
            )
        return Composer(
            self.hydra_context.config_loader, node.job.config_name, list(node.overrides.hydra)
        )

    def _launching(self) -> "Launching":
        from pipeline.sweep.launchers import HydraJobs
        from pipeline.sweep.workers.pool import WorkerJobs

        assert self.launcher is not None
        ours = isinstance(self.launcher, WorkersLauncher)
        return WorkerJobs() if ours else HydraJobs(self.launcher)
