"""Data that do not fit in memory: on disk past a size, and read in parts of bounded memory."""

import subprocess
import sys

import numpy as np
import pytest

from pipeline.data import DatasetError, large_arrays

READ_UNDER_A_LIMIT = """
import resource, sys
from pathlib import Path
import numpy as np
from pipeline.data import large_arrays, load

large_arrays.LARGE = 2**20
load("npz", path="small.npz", data_dir=".", **{options})  # imports everything
status = Path("/proc/self/status").read_text()
used = next(int(line.split()[1]) for line in status.splitlines() if line.startswith("VmData"))
resource.setrlimit(resource.RLIMIT_DATA, (used * 1024 + {room},) * 2)
try:
    np.ones({size} // 8)
    sys.exit(77)  # this system does not enforce the limit
except MemoryError:
    pass
data = load("npz", path="large.npz", data_dir=".", **{options})
rows = np.random.default_rng(0).permutation(len(data.train))
total = sum(data.train.inputs[rows[n : n + 32]].sum(dtype=float) for n in range(0, len(rows), 32))
print(len(data.train), data.train.inputs.nbytes, total, data.train.fingerprint[:8])
"""


def test_data_larger_than_a_limit_of_memory_are_read_and_batched(tmp_path):
    """RLIMIT_DATA bounds all memory but mapped files, which RLIMIT_AS would count as well."""
    room, size = 28 * 2**20, 64 * 2**20
    for name, rows in (("small", 16), ("large", size // 4096)):
        x = np.zeros((rows, 1024), np.float32)
        x[:, 0] = np.arange(rows)
        y = np.arange(rows) % 2
        np.savez(tmp_path / f"{name}.npz", x_train=x, y_train=y, x_test=x[:8], y_test=y[:8])
    options = {"validation_share": 0.1, "split_seed": 0, "standardize": True}
    code = READ_UNDER_A_LIMIT.format(options=options, room=room, size=size)
    command = [sys.executable, "-c", code]
    done = subprocess.run(command, capture_output=True, text=True, cwd=tmp_path, check=False)
    if done.returncode == 77:
        pytest.skip("RLIMIT_DATA is not enforced here")
    assert done.returncode == 0, done.stderr
    examples, size_read, total, _ = done.stdout.split()
    assert int(examples) == size // 4096 - 2 * 819
    assert int(size_read) > 2 * room
    assert abs(float(total)) < 1, "standardized"


def test_an_array_past_the_size_is_on_disk_and_leaves_no_file(tmp_path, monkeypatch):
    monkeypatch.setattr(large_arrays, "LARGE", 100)
    monkeypatch.setattr("tempfile.tempdir", str(tmp_path))
    small, large = large_arrays.empty((10,), np.uint8), large_arrays.empty((30, 2), np.int64)
    assert (isinstance(small, np.memmap), isinstance(large, np.memmap)) == (False, True)
    large[:] = 7
    assert large.sum() == 420
    assert list(tmp_path.iterdir()) == []


def test_a_disk_without_room_is_one_sentence(tmp_path, monkeypatch):
    monkeypatch.setattr("tempfile.tempdir", str(tmp_path))
    with pytest.raises(DatasetError, match=r"GiB of arrays do not fit in .*: TMPDIR sets another"):
        large_arrays.empty((2**55,), np.uint8)
