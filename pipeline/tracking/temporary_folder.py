"""Temporary folders; those of a process that was killed are removed by the next command."""

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
_YOUNG_SECONDS = 60.0  # on a busy machine it may not have been locked yet


@contextmanager
def temporary_folder() -> Iterator[Path]:
    """A new empty folder for the length of a block."""
    _remove_those_left()
    with tempfile.TemporaryDirectory(prefix=_PREFIX, ignore_cleanup_errors=True) as name:
        folder = Path(name, _FILES)
        with FileLock(Path(name, _LOCK)):
            folder.mkdir()
            yield folder


@cache
def _remove_those_left() -> None:
    """Once per process. A lock ends with its process, so a folder in use is never free."""
    for folder in Path(tempfile.gettempdir()).glob(f"{_PREFIX}*"):
        with suppress(OSError, Timeout):
            if time.time() - folder.stat().st_mtime < _YOUNG_SECONDS:
                continue
            with FileLock(folder / _LOCK, blocking=False):
                shutil.rmtree(folder)
