import os
import subprocess
import sys
import tempfile
import time
from pathlib import Path

from pipeline.tracking.temporary_folder import _remove_those_left, temporary_folder

HOLD = (
    "from pipeline.tracking.temporary_folder import temporary_folder; "
    "h = temporary_folder(); print(h.__enter__());"
)


def test_a_folder_is_gone_with_its_block():
    with temporary_folder() as folder:
        assert folder.is_dir()
    assert not folder.exists()


def test_the_next_command_removes_what_a_killed_one_left_and_nothing_in_use(tmp_path, monkeypatch):
    monkeypatch.setattr(tempfile, "tempdir", str(tmp_path))
    command = [sys.executable, "-uc", f"{HOLD} input()"]
    pipes = {"stdin": subprocess.PIPE, "stdout": subprocess.PIPE}
    environment = {**os.environ, "TMPDIR": str(tmp_path)}
    killed, living = (subprocess.Popen(command, **pipes, env=environment) for _ in range(2))
    left, used = (Path(process.stdout.readline().decode().strip()) for process in (killed, living))
    killed.kill()
    killed.communicate()
    for folder in (left, used):
        os.utime(folder.parent, (time.time() - 100,) * 2)
    _remove_those_left.cache_clear()  # as in a process of its own
    with temporary_folder():
        assert not left.parent.exists()
        assert used.exists()
    living.communicate(b"\n")
