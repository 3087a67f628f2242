"""Converts Hydra's configuration object to plain values, which all code below uses."""

from pathlib import Path
from typing import Any

from omegaconf import DictConfig, OmegaConf


def plain_values(config: DictConfig) -> dict[str, Any]:
    """Return a composed configuration as plain Python values, resolved, without `hydra`."""
    values = OmegaConf.to_container(config, resolve=True)
    assert isinstance(values, dict)
    plain = {str(key): value for key, value in values.items() if key != "hydra"}
    _make_absolute(plain.get("dataset"))
    return plain


def _make_absolute(dataset: object) -> None:
    """Make the path of the user's own data absolute, so that it is valid in any process."""
    if isinstance(dataset, dict) and dataset.get("path") not in (None, ""):
        dataset["path"] = str(Path(str(dataset["path"])).expanduser().absolute())
