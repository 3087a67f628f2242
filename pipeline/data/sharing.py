"""The processes of a sweep share the data set that one of them decoded."""

import hashlib
import os
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from functools import lru_cache
from pathlib import Path
from typing import Any

from pipeline import data
from pipeline.data import Dataset


def shared_data(**arguments: Any) -> Dataset:
    """A data set, decoded once for all runs of a sweep that use the same.

    Args:
        arguments: those of `pipeline.data.load`.

    Raises:
        DatasetError: one sentence, when the data are not available or malformed.
    """
    return _load_once(**arguments)


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
    key = hashlib.sha256(repr(sorted(arguments.items())).encode()).hexdigest()
    file = _shared_folder / f"{key}.dataset"
    if file.is_file():
        return read_shared(file)
    dataset = data.load(**arguments)
    with suppress(OSError):  # a full disk: everybody decodes for himself
        write_shared(dataset, file)
        return read_shared(file)  # one copy in memory, for this process too
    return dataset


def write_shared(dataset: Dataset, file: Path) -> None:
    """Write a data set, with its fingerprints; the file is there when it is whole.

    Raises:
        OSError: it does not fit on the disk; nothing is left of it.
    """
    import joblib  # whose import those who share nothing need not wait for

    _ = dataset.fingerprints  # taken once, for every process
    draft = file.with_suffix(f".{os.getpid()}")
    try:
        joblib.dump(dataset, draft)
        draft.replace(file)
    finally:
        draft.unlink(missing_ok=True)


def read_shared(file: Path) -> Dataset:
    """What `write_shared` wrote: arrays that are read from the file where they are used."""
    import joblib

    dataset: Dataset = joblib.load(file, mmap_mode="r")
    return dataset
