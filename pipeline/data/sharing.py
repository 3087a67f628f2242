"""From settings to a loaded data set; the processes of a sweep share what one of them decoded."""

import hashlib
from collections.abc import Hashable, Iterator
from contextlib import contextmanager, suppress
from functools import lru_cache
from pathlib import Path
from typing import Any

from pipeline import data
from pipeline.data import Dataset, Split
from pipeline.settings import Settings


def load_data(settings: Settings, data_dir: str) -> Dataset:
    """Read the data set that settings describe from `data_dir`, or download it into there.

    Raises:
        DatasetError: one sentence, when it is not to be had or malformed.
    """
    return data.load(data_dir=data_dir, **_options(settings))


def load_test_data(settings: Settings, data_dir: str) -> tuple[Split, tuple[str, ...]]:
    """The test examples of `load_data`, read anew, and the names of the classes.

    Raises:
        DatasetError: as there.
    """
    return data.load_test(data_dir=data_dir, **_options(settings))


def shared_data(settings: Settings) -> Dataset:
    """The data of these settings, decoded once for all runs of a sweep that use the same.

    Raises:
        DatasetError: as above.
    """
    return _load_once(data_dir=settings.place.data_dir, **_options(settings))


_shared_folder: Path | None = None


def share_data(folder: Path | None) -> None:
    """Let this process take data sets from a folder, and leave there what it had to decode."""
    global _shared_folder
    _shared_folder = folder


@contextmanager
def sharing_data(folder: Path) -> Iterator[None]:
    """`share_data` for the length of a block."""
    share_data(folder)
    try:
        yield
    finally:
        share_data(None)


@lru_cache(maxsize=2)
def _load_once(**arguments: Any) -> Dataset:
    if _shared_folder is None:
        return data.load(**arguments)
    from pipeline.data.shared_file import read_shared, write_shared

    key = hashlib.sha256(repr(sorted(arguments.items())).encode()).hexdigest()
    file = _shared_folder / f"{key}.dataset"
    if file.is_file():
        return read_shared(file)
    dataset = data.load(**arguments)
    with suppress(OSError):  # a full disk: everybody decodes for himself
        write_shared(dataset, file)
        return read_shared(file)  # one copy in memory, for this process too
    return dataset


def data_key(settings: Settings) -> Hashable:
    """Equal for settings that ask for the same data."""
    return (settings.place.data_dir, *_options(settings).items())


def _options(settings: Settings) -> dict[str, Any]:
    options: dict[str, Any] = settings.dataset.model_dump(exclude_none=True)
    if padding := getattr(settings.model, "padding", None):
        options["padding"] = padding
    return options | {"train_size": settings.training.train_size}
