"""From settings to a loaded data set."""

from collections.abc import Callable, Hashable
from functools import lru_cache
from typing import Any

from pipeline import datasets
from pipeline.settings import Settings


def load_data(
    settings: Settings, data_dir: str, load: Callable[..., datasets.Dataset] = datasets.load
) -> datasets.Dataset:
    """Read the data set that settings describe from `data_dir`, or download it into there.

    Raises:
        DatasetError: one sentence, when it is not to be had or malformed.
    """
    return load(data_dir=data_dir, **_options(settings))


_load_once = lru_cache(maxsize=2)(datasets.load)


def shared_data(settings: Settings) -> datasets.Dataset:
    """The data of these settings, decoded once for all runs of a process that use the same."""
    return load_data(settings, settings.place.data_dir, _load_once)


def data_key(settings: Settings) -> Hashable:
    """Equal for settings that ask for the same data."""
    return (settings.place.data_dir, *_options(settings).items())


def _options(settings: Settings) -> dict[str, Any]:
    options: dict[str, Any] = settings.dataset.model_dump(exclude_none=True)
    if padding := getattr(settings.model, "padding", None):
        options["padding"] = padding
    return options | {"train_size": settings.training.train_size}
