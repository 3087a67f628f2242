"""Lets Hydra compose `optimizer=adamw` as if each optimizer of Keras had a configuration file."""

from hydra.core.config_search_path import ConfigSearchPath
from hydra.core.object_type import ObjectType
from hydra.plugins.config_source import ConfigResult, ConfigSource
from hydra.plugins.search_path_plugin import SearchPathPlugin
from omegaconf import OmegaConf

_GROUP = "optimizer"


class OptimizerSearchPath(SearchPathPlugin):
    """Adds the source to Hydra's search path."""

    def manipulate_search_path(self, search_path: ConfigSearchPath) -> None:
        """Append the source after the configuration files, which come first."""
        search_path.append("pipeline", "keras-optimizer://optimizer")


class OptimizerSource(ConfigSource):
    """Presents Keras's optimizers as configuration files of the group `optimizer`."""

    @staticmethod
    def scheme() -> str:
        """Return the scheme that the search path uses for this source."""
        return "keras-optimizer"

    def available(self) -> bool:
        """Return True: Keras is looked at only when an optimizer is loaded or listed."""
        return True

    def is_group(self, config_path: str) -> bool:
        """Return whether the path is the group of the optimizers."""
        return config_path == _GROUP

    def is_config(self, config_path: str) -> bool:
        """Return whether the path names an optimizer, `optimizer/adamw`."""
        from pipeline.settings.optimizer_arguments import keras_optimizers

        group, _, name = config_path.removesuffix(".yaml").partition("/")
        return group == _GROUP and name in keras_optimizers()

    def list(self, config_path: str, results_filter: ObjectType | None) -> list[str]:
        """Return the names of all optimizers."""
        from pipeline.settings.optimizer_arguments import keras_optimizers

        return [] if results_filter is ObjectType.GROUP else list(keras_optimizers())

    def load_config(self, config_path: str) -> ConfigResult:
        """Return the arguments of an optimizer with their defaults."""
        from pipeline.settings.optimizer_arguments import composed_optimizer

        name = config_path.removesuffix(".yaml").removeprefix(f"{_GROUP}/")
        return ConfigResult(
            provider=self.provider,
            path=f"{self.scheme()}://{self.path}",
            config=OmegaConf.create(composed_optimizer(name)),
            header={"package": "_global_"},
        )
