"""A decoded data set in a file that the processes of a sweep map into memory, one copy for all."""

from __future__ import annotations

import os
from pathlib import Path

import joblib

from pipeline.data.dataset import Dataset


def write_shared(dataset: Dataset, file: Path) -> None:
    """Write a data set, with its fingerprints; the file is there when it is whole.

    Raises:
        OSError: it does not fit on the disk; nothing is left of it.
    """
    _ = dataset.fingerprints  # taken once, for every process
    draft = file.with_suffix(f".{os.getpid()}")
    try:
        joblib.dump(dataset, draft)
        draft.replace(file)
    finally:
        draft.unlink(missing_ok=True)


def read_shared(file: Path) -> Dataset:
    """What `write_shared` wrote: arrays that are read from the file where they are used."""
    dataset: Dataset = joblib.load(file, mmap_mode="r")
    return dataset
