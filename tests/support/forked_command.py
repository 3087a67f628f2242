"""A command that was forked and runs on in the background, handled as a `subprocess.Popen`."""

import os
import select
import signal
from pathlib import Path
from tempfile import TemporaryDirectory
from threading import Timer


class ForkedCommand:
    """Reads what the command prints, and the exit code that the process which forked it tells.

    `fork(printed, ended)` makes the process and gives its id. Both paths are pipes that have a
    reader: the command prints to the one, its exit code is written to the other.
    """

    def __init__(self, fork):
        self._folder = TemporaryDirectory()
        printed, ended = (Path(self._folder.name, name) for name in ("printed", "ended"))
        out, self._ended = map(_reading_end, (printed, ended))
        self.pid = fork(str(printed), str(ended))
        os.set_blocking(out, True)
        self.stdout = os.fdopen(out, encoding="utf-8")
        self.returncode = None

    def poll(self):
        """Give the exit code, None while the command runs."""
        if self.returncode is None and select.select([self._ended], [], [], 0)[0]:
            self.wait()
        return self.returncode

    def wait(self, timeout=None):
        if self.returncode is None:
            if not select.select([self._ended], [], [], timeout)[0]:
                raise TimeoutError(f"process {self.pid} runs on after {timeout} s")
            self.returncode = int(os.read(self._ended, 16))
            os.close(self._ended)
            self._folder.cleanup()
        return self.returncode

    def communicate(self, timeout):
        """Read to the end; a command that takes longer is killed and so has another exit code."""
        timer = Timer(timeout, os.killpg, (self.pid, signal.SIGKILL))
        timer.start()
        printed = self.stdout.read()
        self.wait()
        timer.cancel()
        return printed, None

    def send_signal(self, number):
        if self.poll() is None:
            os.kill(self.pid, number)

    def kill(self):
        self.send_signal(signal.SIGKILL)


def _reading_end(pipe):
    os.mkfifo(pipe)
    return os.open(pipe, os.O_RDONLY | os.O_NONBLOCK)  # it does not wait for a writer
