"""Which process owns a run, and whether that process is still alive.

On the same machine the process is looked up; its start time distinguishes it from a later process
with the same id. For another machine, only the heartbeat is known.
"""

import os
import platform
import threading
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager, suppress
from functools import cache
from pathlib import Path

import psutil

from pipeline.tracking import names

BEAT_SECONDS = 15.0
SILENT_SECONDS = 8 * BEAT_SECONDS  # allows for clock differences between machines and a slow store
_STATE, _STARTED = 0, 19  # fields of /proc/<pid>/stat after the command's name
_ENDED = ("Z", "X")


def owner() -> str:
    """Return the name of this process: `host machine pid started`."""
    pid = os.getpid()
    return f"{platform.node() or '-'} {_machine()} {pid} {_started(pid)}"


def owner_tags() -> dict[str, str]:
    """Return tags that name this process as the owner, with the current time."""
    return {names.OWNER: owner(), names.HEARTBEAT: f"{time.time():.0f}"}


def is_alive(tags: Mapping[str, str]) -> bool:
    """Return whether the process that these tags name is still alive.

    Args:
        tags: tags of a run, of this version or an earlier one, or of a claim; False without an
            owner.
    """
    of = tags.get(names.OWNER, tags.get(names.EARLIER_OWNER))
    if of is None:
        return False
    match of.split(" "):
        case [_, machine, pid, started] if machine == _machine():
            return _started(int(pid)) == started
    beat = tags.get(names.HEARTBEAT, tags.get(names.EARLIER_HEARTBEAT, 0))
    return time.time() - float(beat) < SILENT_SECONDS


@cache
def _machine() -> str:
    """Identify where process ids are comparable: on Linux, a boot and its PID namespace.

    Containers with the same host name have separate namespaces.
    """
    try:
        boot = Path("/proc/sys/kernel/random/boot_id").read_text().strip()
        return f"{boot}/{Path('/proc/self/ns/pid').stat().st_ino}"
    except OSError:
        return platform.node() or "-"


def _started(pid: int) -> str | None:
    """Return when a live process started, in a unit that clock changes do not affect.

    On Linux, psutil adds the ticks since boot to the boot time, which changes with the clock.
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


@contextmanager
def beating(beat: Callable[[], object]) -> Iterator[None]:
    """Call `beat` every 15 seconds for the duration of a block; a failed beat is ignored."""
    done = threading.Event()

    def run() -> None:
        while not done.wait(BEAT_SECONDS):
            with suppress(Exception):  # the store may return, or the run's own writes fail
                beat()

    thread = threading.Thread(target=run, daemon=True, name="heartbeat")
    thread.start()
    try:
        yield
    finally:
        done.set()
        thread.join()
