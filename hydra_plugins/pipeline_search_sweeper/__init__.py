"""Hydra's plugin namespace for sweepers; `pipeline.search.conduct_search` does the work."""

from importlib.util import find_spec
from typing import Any

from omegaconf import DictConfig

from hydra_plugins.pipeline_sweeper import PipelineSweeper

_NEEDED = "hydra/sweeper=optuna needs Optuna: pip install 'parity-pipeline[pipeline,search]'."


class SearchSweeper(PipelineSweeper):
    """Searches with Optuna over the values that a sweep would run one by one."""

    def __init__(self, params: DictConfig | None, **options: Any):
        super().__init__(max_batch_size=None, params=params)
        self.options = options

    def sweep(self, arguments: list[str]) -> Any:
        """Plan the search, or resume it, and run it until all trials are done."""
        from pipeline.settings import SettingsError

        if find_spec("optuna") is None:
            raise SettingsError([_NEEDED])
        from pipeline.search.conduct_search import conduct_search
        from pipeline.search.search_plan import plan_search

        plan = plan_search(self._lines(arguments), self.options, self._composer())
        conduct_search(plan, self._launching())
