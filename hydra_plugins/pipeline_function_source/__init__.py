"""Lets Hydra compose `model=my_models:textcnn`, as if there were a file of that name.

What such a file would hold follows from the function's signature. As a source of Hydra's, it serves
the command line, defaults lists and every launcher alike.
"""

from hydra.core.config_search_path import ConfigSearchPath
from hydra.core.object_type import ObjectType
from hydra.plugins.config_source import ConfigResult, ConfigSource
from hydra.plugins.search_path_plugin import SearchPathPlugin
from omegaconf import OmegaConf

_GROUP = "model/"


class FunctionSearchPath(SearchPathPlugin):
    """Puts the source on Hydra's search path."""

    def manipulate_search_path(self, search_path: ConfigSearchPath) -> None:
        """After the files, of which none has such a name."""
        search_path.append("pipeline", "function://model")


class FunctionSource(ConfigSource):
    """A model function as a configuration file of the group `model`."""

    @staticmethod
    def scheme() -> str:
        """How the search path names it."""
        return "function"

    def available(self) -> bool:
        """Always: functions are looked for when they are asked for."""
        return True

    def is_group(self, config_path: str) -> bool:
        """The group is that of the files."""
        return False

    def is_config(self, config_path: str) -> bool:
        """Whether this is the form of a function's name."""
        from pipeline.settings.model_function import is_own

        return config_path.startswith(_GROUP) and is_own(config_path.removeprefix(_GROUP))

    def list(self, config_path: str, results_filter: ObjectType | None) -> list[str]:
        """None can be listed."""
        return []

    def load_config(self, config_path: str) -> ConfigResult:
        """The settings of a function with their defaults.

        Raises:
            SettingsError: when it cannot be used.
        """
        from pipeline.settings.model_function import model_function

        name = config_path.removeprefix(_GROUP).removesuffix(".yaml")
        function = model_function(name)
        values = {"model": {"name": name}, **function.defaults}
        if function.reads == "text":
            values["padding"] = "post"
        return ConfigResult(
            provider=self.provider,
            path=f"{self.scheme()}://{self.path}",
            config=OmegaConf.create(values),
            header={"package": "_global_"},
        )
