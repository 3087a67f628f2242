"""MLflow's environment variables: which ones set defaults here, and which have no effect."""

import os
from collections.abc import Iterator

from omegaconf import OmegaConf

from pipeline.settings.masking import masked

URI = "MLFLOW_TRACKING_URI"
USERNAME, PASSWORD = "MLFLOW_TRACKING_USERNAME", "MLFLOW_TRACKING_PASSWORD"
_ADDRESS = ("http://", "https://")
_UNUSED = {
    "MLFLOW_RUN_ID": "an interrupted run is continued by the same command",
    "MLFLOW_RUN_NAME": "a run is named by the settings that differ",
}


def _store_kind() -> str:
    """Return the default of `tracking`."""
    return "server" if os.environ.get(URI, "").startswith(_ADDRESS) else "local"


def unused_variables() -> Iterator[str]:
    """Yield one sentence per variable that is set but has no effect."""
    uri = os.environ.get(URI)
    if uri and not uri.startswith(_ADDRESS):
        yield f"{URI}={masked(uri)} is not used: only http:// and https:// addresses are."
    for name, instead in _UNUSED.items():
        if value := os.environ.get(name):
            yield f"{name}={value} is not used: {instead}."


OmegaConf.register_new_resolver("store_kind", _store_kind, replace=True)
