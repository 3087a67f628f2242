"""Data sets: facts known without loading, and arrays ready for training.

`load`, `load_test`, `Dataset` and `Split` are imported on first use, so that settings can be
checked against `pipeline.data.catalogue` without waiting for NumPy.
"""

from importlib import import_module
from typing import TYPE_CHECKING, Any

from pipeline.errors import DatasetError

if TYPE_CHECKING:
    from pipeline.data.dataset import Dataset, Split
    from pipeline.data.loading import load, load_test

__all__ = ["Dataset", "DatasetError", "Split", "load", "load_test"]

_HOMES = {"load": "loading", "load_test": "loading", "Dataset": "dataset", "Split": "dataset"}


def __getattr__(name: str) -> Any:
    if name not in _HOMES:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    return getattr(import_module(f"{__name__}.{_HOMES[name]}"), name)
