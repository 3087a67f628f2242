"""Which process a run belongs to, and whether that process is still running.

On its own machine a process is looked up; the time at which it started tells it from a later one
with the same number. On another machine only its heartbeat can be seen.
"""

import os
import platform
import threading
import time
from collections.abc import Callable, Mapping
from functools import cache
from pathlib import Path
from types import TracebackType

import psutil

from pipeline.tracking import names

BEAT_SECONDS = 15.0
SILENT_SECONDS = 8 * BEAT_SECONDS  # clocks of two machines differ, and a store may be slow
_STATE, _STARTED = 0, 19  # fields of /proc/<pid>/stat after the command's name
_ENDED = ("Z", "X")


def owner() -> str:
    """Name this process: `host machine pid started`."""
    pid = os.getpid()
    return f"{platform.node() or '-'} {_machine()} {pid} {_started(pid)}"


def owner_tags() -> dict[str, str]:
    """Tags that say whose a run is, as of now."""
    return {names.OWNER: owner(), names.HEARTBEAT: f"{time.time():.0f}"}


def is_alive(tags: Mapping[str, str]) -> bool:
    """Whether the process that these tags name is still running.

    Args:
        tags: a run's, or a claim's; without an owner there is nobody.
    """
    if names.OWNER not in tags:
        return False
    match tags[names.OWNER].split(" "):
        case [_, machine, pid, started] if machine == _machine():
            return _started(int(pid)) == started
    return time.time() - float(tags.get(names.HEARTBEAT, 0)) < SILENT_SECONDS


@cache
def _machine() -> str:
    """Where the numbers of processes mean the same: on Linux a boot and its PID namespace.

    Containers with one host name have namespaces of their own.
    """
    try:
        boot = Path("/proc/sys/kernel/random/boot_id").read_text().strip()
        return f"{boot}/{Path('/proc/self/ns/pid').stat().st_ino}"
    except OSError:
        return platform.node() or "-"


def _started(pid: int) -> str | None:
    """When a process that has not ended started, in a unit that no clock's step changes.

    psutil's time on Linux is the time of the boot and the ticks since, and so moves with the clock.
    """
    try:
        fields = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
        return None if fields[_STATE] in _ENDED else fields[_STARTED]
    except OSError:
        return None if Path("/proc/self/stat").exists() else _started_elsewhere(pid)


def _started_elsewhere(pid: int) -> str | None:
    try:
        process = psutil.Process(pid)
        ended = process.status() == psutil.STATUS_ZOMBIE
        return None if ended else f"{process.create_time():.2f}"
    except psutil.Error:
        return None


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
