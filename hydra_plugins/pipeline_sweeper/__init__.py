"""Hydra's plugin namespace for sweepers; `pipeline.sweep` does the work."""

from typing import TYPE_CHECKING, Any

from hydra._internal.core_plugins.basic_sweeper import BasicSweeper

from hydra_plugins.pipeline_launcher import WatchingLauncher

if TYPE_CHECKING:
    from pipeline.settings.composer import Composer
    from pipeline.sweep.conduct import ConductedSweep
    from pipeline.sweep.launchers import JobLauncher


class PipelineSweeper(BasicSweeper):
    """Hydra's grid of overrides, checked as a whole before the first job starts."""

    def sweep(self, arguments: list[str]) -> Any:
        """Plan the sweep, run the unfinished jobs with the configured launcher, and return it."""
        from pipeline.sweep.conduct import conduct

        planned = self._planned(arguments)
        conduct(planned, self._job_launcher)
        return planned

    def _planned(self, arguments: list[str]) -> "ConductedSweep":
        from pipeline.sweep.grid_sweep import GridSweep
        from pipeline.sweep.plan import plan_sweep

        return GridSweep(plan_sweep(self._lines(arguments), self._composer()))

    def _lines(self, arguments: list[str]) -> list[str]:
        """Return the sweep of the configuration file, followed by the command line's overrides."""
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

    def _job_launcher(self) -> "JobLauncher":
        from pipeline.sweep.launchers import HydraJobs

        assert self.launcher is not None
        if isinstance(self.launcher, WatchingLauncher):
            return self.launcher.job_launcher()
        return HydraJobs(self.launcher)
