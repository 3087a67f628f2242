"""Lets Hydra compose `model=my_models:textcnn` as if a configuration file of that name existed.

The contents of that file follow from the function's signature. Because this is a Hydra config
source, it works on the command line, in defaults lists and with every launcher. Likewise for
`dataset=my_data:load`.
"""

from typing import Any

from hydra.core.config_search_path import ConfigSearchPath
from hydra.core.object_type import ObjectType
from hydra.plugins.config_source import ConfigResult, ConfigSource
from hydra.plugins.search_path_plugin import SearchPathPlugin
from omegaconf import OmegaConf

_GROUPS = ("model", "dataset")


class FunctionSearchPath(SearchPathPlugin):
    """Adds the source to Hydra's search path."""

    def manipulate_search_path(self, search_path: ConfigSearchPath) -> None:
        """Append the source after the configuration files, none of which has such a name."""
        search_path.append("pipeline", "function://model")


class FunctionSource(ConfigSource):
    """Presents a function as a configuration file of the group `model` or `dataset`."""

    @staticmethod
    def scheme() -> str:
        """Return the scheme that the search path uses for this source."""
        return "function"

    def available(self) -> bool:
        """Return True: a function is looked up only when it is loaded."""
        return True

    def is_group(self, config_path: str) -> bool:
        """Return False for everything: the configuration files define the groups."""
        return False

    def is_config(self, config_path: str) -> bool:
        """Return whether the path has the form `model/module:function`, or of a data set."""
        from pipeline.functions.lookup import is_own

        group, _, name = config_path.partition("/")
        return group in _GROUPS and is_own(name)

    def list(self, config_path: str, results_filter: ObjectType | None) -> list[str]:
        """Return an empty list: functions cannot be enumerated."""
        return []

    def load_config(self, config_path: str) -> ConfigResult:
        """Return the settings of a function with their defaults.

        Raises:
            SettingsError: when the function cannot be used.
        """
        group, _, name = config_path.removesuffix(".yaml").partition("/")
        values = _model(name) if group == "model" else _dataset(name)
        return ConfigResult(
            provider=self.provider,
            path=f"{self.scheme()}://{self.path}",
            config=OmegaConf.create(values),
            header={"package": "_global_" if group == "model" else None},
        )


def _model(name: str) -> dict[str, Any]:
    from pipeline.settings.model_function import model_function

    function = model_function(name)
    padding = {"padding": "post"} if function.reads == {"text"} else {}
    return {"model": {"name": name}, **function.defaults, **padding}


def _dataset(name: str) -> dict[str, Any]:
    from pipeline.settings.data_function import data_function

    return {"defaults": ["base/arrays", "_self_"], "name": name, **data_function(name).defaults}
