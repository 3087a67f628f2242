"""Claims on a local store: file locks, which the system releases when their process ends.

A lock's file is removed on release, and files of killed processes by the next process that makes a
claim. One more lock protects all of this: otherwise a process could lock a file that another has
just removed.
"""

from collections.abc import Iterator
from contextlib import AbstractContextManager, contextmanager
from pathlib import Path

from filelock import FileLock, Timeout

from pipeline.tracking.store import Store

_FOLDER, _ALL = "locks", ".all.lock"


def try_file_claim(store: Store, name: str) -> AbstractContextManager[Store] | None:
    """Return the claim of this name for this process; None if another process holds it."""
    assert store.folder is not None
    folder = store.folder / _FOLDER
    folder.mkdir(exist_ok=True)
    with FileLock(folder / _ALL):
        _remove_those_left(folder)
        lock = _try_lock(folder / f"{name}.lock")
    return None if lock is None else _held(lock, store)


@contextmanager
def _held(lock: FileLock, store: Store) -> Iterator[Store]:
    try:
        yield store
    finally:
        file = Path(lock.lock_file)
        with FileLock(file.with_name(_ALL)):
            file.unlink(missing_ok=True)
            lock.release()


def _remove_those_left(folder: Path) -> None:
    for file in folder.glob("[!.]*.lock"):
        if lock := _try_lock(file):
            file.unlink()
            lock.release()


def _try_lock(file: Path) -> FileLock | None:
    lock = FileLock(file, blocking=False)
    try:
        lock.acquire()
    except Timeout:
        return None
    return lock
