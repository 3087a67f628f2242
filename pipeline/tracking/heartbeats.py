"""Which process a run belongs to, and whether that process is still at it.

On its own machine a process is looked up; the time at which it started tells it from a later one
with the same number. On another machine only its heartbeat can be seen.
"""

import os
import platform
import threading
import time
from collections.abc import Callable, Mapping
from types import TracebackType

import psutil

from pipeline.tracking import names

BEAT_SECONDS = 15.0
_SILENT_SECONDS = 8 * BEAT_SECONDS  # clocks of two machines differ, and a store may be slow


def owner() -> str:
    """Name this process: `host pid start-time`."""
    return f"{platform.node()} {os.getpid()} {psutil.Process().create_time():.2f}"


def owner_tags() -> dict[str, str]:
    """Tags that say whose a run is, as of now."""
    return {names.OWNER: owner(), names.HEARTBEAT: f"{time.time():.0f}"}


def is_alive(tags: Mapping[str, str]) -> bool:
    """Whether the process that these tags name is still running.

    Args:
        tags: a run's, or a claim's; without an owner there is nobody.
    """
    named = tags.get(names.OWNER, "").split(" ")
    if len(named) != 3:
        return False
    host, pid, started = named
    if host == platform.node():
        return _runs(int(pid), float(started))
    return time.time() - float(tags.get(names.HEARTBEAT, 0)) < _SILENT_SECONDS


def _runs(pid: int, started: float) -> bool:
    try:
        process = psutil.Process(pid)
        same = abs(process.create_time() - started) < 1
        return same and process.status() != psutil.STATUS_ZOMBIE
    except psutil.Error:
        return False


class Heartbeat:
    """Calls `beat` every 15 seconds for the length of a block; a beat that fails is passed over."""

    def __init__(self, beat: Callable[[], object]):
        self._beat = beat
        self._done = threading.Event()
        self._thread = threading.Thread(target=self._run, daemon=True, name="heartbeat")

    def __enter__(self) -> "Heartbeat":
        self._thread.start()
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self._done.set()
        self._thread.join()

    def _run(self) -> None:
        while not self._done.wait(BEAT_SECONDS):
            try:
                self._beat()
            except Exception:  # the store is away: the run's own writes will tell, or it comes back
                continue
