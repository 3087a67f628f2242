"""Temporary folders; those of a killed process are removed by the next command."""

import shutil
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from functools import cache
from pathlib import Path

from filelock import FileLock, Timeout

_PREFIX = "parity-pipeline-"
_LOCK, _FILES = "lock", "files"
_YOUNG_SECONDS = 60.0  # its process may not have locked it yet, if the machine is busy


@contextmanager
def temporary_folder() -> Iterator[Path]:
    """Create an empty folder for the duration of a block."""
    _remove_those_left()
    with tempfile.TemporaryDirectory(prefix=_PREFIX, ignore_cleanup_errors=True) as name:
        folder = Path(name, _FILES)
        with FileLock(Path(name, _LOCK)):
            folder.mkdir()
            yield folder


@cache
def _remove_those_left() -> None:
    """Remove leftover folders, once per process. A folder in use is locked by its process."""
    for folder in Path(tempfile.gettempdir()).glob(f"{_PREFIX}*"):
        with suppress(OSError, Timeout):
            if time.time() - folder.stat().st_mtime < _YOUNG_SECONDS:
                continue
            with FileLock(folder / _LOCK, blocking=False):
                shutil.rmtree(folder)
