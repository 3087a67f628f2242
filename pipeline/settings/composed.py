"""From Hydra's configuration object to plain values; below the entry points there are no others."""

from pathlib import Path
from typing import Any

from omegaconf import DictConfig, OmegaConf


def plain_values(config: DictConfig) -> dict[str, Any]:
    """A composed configuration as plain Python values, interpolations resolved, no `hydra` node."""
    values = OmegaConf.to_container(config, resolve=True)
    assert isinstance(values, dict)
    plain = {str(key): value for key, value in values.items() if key != "hydra"}
    _make_absolute(plain.get("dataset"))
    return plain


def _make_absolute(dataset: object) -> None:
    """The path of a user's own data counts from where a command starts, and holds elsewhere too."""
    if isinstance(dataset, dict) and dataset.get("path") not in (None, ""):
        dataset["path"] = str(Path(str(dataset["path"])).expanduser().absolute())
