"""Another process that keeps a SQLite file to itself."""

import subprocess
import sys
import threading
from contextlib import contextmanager

_HOLDER = (
    "import sqlite3, sys; c = sqlite3.connect(sys.argv[1], isolation_level=None);"
    "c.execute('BEGIN EXCLUSIVE'); print('held', flush=True); input()"
)


@contextmanager
def locked(file, seconds=None):
    """Hold the lock for so many seconds, or for the length of the block; gives the process."""
    pipes = {"stdin": subprocess.PIPE, "stdout": subprocess.PIPE}
    with subprocess.Popen([sys.executable, "-c", _HOLDER, str(file)], **pipes) as holder:
        assert holder.stdout.readline() == b"held\n"
        if seconds is not None:
            threading.Timer(seconds, holder.communicate, (b"\n",)).start()
        try:
            yield holder
        finally:
            if seconds is None:
                holder.communicate(b"\n")
