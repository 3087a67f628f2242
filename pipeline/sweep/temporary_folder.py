"""A sweep's temporary folder; one whose sweep was killed is removed by the next sweep."""

import shutil
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

from filelock import FileLock, Timeout

_PREFIX = "parity-pipeline-sweep-"
_LOCK = "lock"
_YOUNG_SECONDS = 60.0  # it may not have been locked yet


@contextmanager
def own_folder() -> Iterator[Path]:
    """A new temporary folder for the length of a block."""
    _remove_those_left()
    with tempfile.TemporaryDirectory(prefix=_PREFIX, ignore_cleanup_errors=True) as name:
        folder = Path(name)
        with FileLock(folder / _LOCK):
            yield folder


def _remove_those_left() -> None:
    """A lock ends with its process, however that ended; so a folder in use is never free."""
    for folder in Path(tempfile.gettempdir()).glob(f"{_PREFIX}*"):
        with suppress(OSError, Timeout):
            if time.time() - folder.stat().st_mtime < _YOUNG_SECONDS:
                continue
            with FileLock(folder / _LOCK, blocking=False):
                shutil.rmtree(folder)
