"""Hydra's plugin namespace for sweepers; `pipeline.search` does the work."""

from importlib.util import find_spec
from typing import TYPE_CHECKING, Any

from omegaconf import DictConfig

from hydra_plugins.pipeline_launcher import WatchingLauncher
from hydra_plugins.pipeline_sweeper import PipelineSweeper

if TYPE_CHECKING:
    from pipeline.sweep.conduct import ConductedSweep

_NEEDED = "hydra/sweeper=optuna needs Optuna: pip install 'parity-pipeline[pipeline,search]'."


class SearchSweeper(PipelineSweeper):
    """Searches with Optuna over the values that a sweep would run one by one."""

    def __init__(self, params: DictConfig | None, **options: Any):
        super().__init__(max_batch_size=None, params=params)
        self.options = options

    def _planned(self, arguments: list[str]) -> "ConductedSweep":
        from pipeline.settings import SettingsError

        if find_spec("optuna") is None:
            raise SettingsError([_NEEDED])
        from pipeline.search.search_plan import plan_search
        from pipeline.search.search_sweep import SearchSweep

        plan = plan_search(self._lines(arguments), self.options, self._composer())
        return SearchSweep(plan, prunes=isinstance(self.launcher, WatchingLauncher))
