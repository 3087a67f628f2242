import os
import subprocess
import sys
import tempfile
import time
from pathlib import Path

from pipeline.sweep.temporary_folder import own_folder

HOLD = (
    "from pipeline.sweep.temporary_folder import own_folder; "
    "h = own_folder(); print(h.__enter__());"
)


def test_a_folder_is_gone_with_its_sweep():
    with own_folder() as folder:
        assert folder.is_dir()
    assert not folder.exists()


def test_the_next_sweep_removes_what_a_killed_one_left_and_nothing_in_use(tmp_path, monkeypatch):
    monkeypatch.setattr(tempfile, "tempdir", str(tmp_path))
    command = [sys.executable, "-uc", f"{HOLD} input()"]
    pipes = {"stdin": subprocess.PIPE, "stdout": subprocess.PIPE}
    environment = {**os.environ, "TMPDIR": str(tmp_path)}
    killed, living = (subprocess.Popen(command, **pipes, env=environment) for _ in range(2))
    left, used = (Path(process.stdout.readline().decode().strip()) for process in (killed, living))
    killed.kill()
    killed.communicate()
    for folder in (left, used):
        os.utime(folder, (time.time() - 100,) * 2)
    with own_folder():
        assert not left.exists()
        assert used.exists()
    living.communicate(b"\n")
