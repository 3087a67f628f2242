"""Shares a decoded data set between the processes of a sweep."""

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
    """Load a data set, decoded once for all runs of a sweep that use it.

    Args:
        arguments: the arguments of `pipeline.data.load`.

    Raises:
        DatasetError: when the data are unavailable or malformed.
    """
    return _load_once(_Arguments(arguments))


def forget_data() -> None:
    """Have data sets read again, whose files may have changed."""
    _load_once.cache_clear()


_shared_folder: Path | None = None


def share_data(folder: Path | None) -> None:
    """Make this process read shared data sets from a folder, and store there those it decodes."""
    global _shared_folder
    _shared_folder = folder


@contextmanager
def sharing_data(folder: Path) -> Iterator[None]:
    """Apply `share_data` within a block."""
    share_data(folder)
    try:
        yield
    finally:
        share_data(None)


class _Arguments(dict[str, Any]):
    """Arguments of `load` as a key; some may be lists."""

    def __hash__(self) -> int:  # type: ignore[override]
        return hash(repr(sorted(self.items())))


@lru_cache(maxsize=2)
def _load_once(arguments: _Arguments) -> Dataset:
    if _shared_folder is None:
        return data.load(**arguments)
    key = hashlib.sha256(repr(sorted(arguments.items())).encode()).hexdigest()
    file = _shared_folder / f"{key}.dataset"
    if file.is_file():
        return read_shared(file)
    dataset = data.load(**arguments)
    with suppress(OSError):  # the disk is full: each process decodes its own copy
        write_shared(dataset, file)
        return read_shared(file)  # one copy in memory, for this process too
    return dataset


def write_shared(dataset: Dataset, file: Path) -> None:
    """Write a data set with its fingerprints; the file appears only when it is complete.

    Raises:
        OSError: when the disk is full; no partial file remains.
    """
    import joblib  # imported here, because processes that share nothing need not wait for it

    _ = dataset.fingerprints  # computed once for all processes
    draft = file.with_suffix(f".{os.getpid()}")
    try:
        joblib.dump(dataset, draft)
        draft.replace(file)
    finally:
        draft.unlink(missing_ok=True)


def read_shared(file: Path) -> Dataset:
    """Read what `write_shared` wrote; the arrays are memory-mapped."""
    import joblib

    dataset: Dataset = joblib.load(file, mmap_mode="r")
    return dataset
