"""From Hydra's configuration object to plain values; below the entry points there are no others."""

from typing import Any

from omegaconf import DictConfig, OmegaConf


def plain_values(config: DictConfig) -> dict[str, Any]:
    """A composed configuration as plain Python values, interpolations resolved, no `hydra` node."""
    values = OmegaConf.to_container(config, resolve=True)
    assert isinstance(values, dict)
    return {str(key): value for key, value in values.items() if key != "hydra"}
