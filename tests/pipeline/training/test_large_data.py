"""Training on data larger than a limit of memory: a batch at a time, in every step of a run."""

import subprocess
import sys

import numpy as np
import pytest

TRAIN_UNDER_A_LIMIT = """
import resource, sys
from pathlib import Path
import scratch_forward
from pipeline.data import large_arrays, load
from pipeline.models.keras_backend import keras
from pipeline.training.compilation import compile_model
from pipeline.training.fitting import fit
from pipeline.training.optimizers import build_optimizer
from pipeline.training.prediction import predict

large_arrays.LARGE = 2**20


def train(path):
    data = load("npz", path=path, data_dir=".", validation_share=0.3, split_seed=0)
    model = keras.Sequential([keras.Input((1024,)), keras.layers.Dense(2, "softmax")])
    compile_model(model, build_optimizer("adam", 0.01))
    splits = [(one.inputs, one.labels) for one in (data.train, data.validation)]
    fit(model, *splits, epochs=1, batch_size=64, seed=0)
    of_keras = predict(model, data.test.inputs, trim=False)
    of_numpy = scratch_forward.from_keras(model).predict(data.test.inputs)
    return abs(of_keras - of_numpy).max()


train("small.npz")  # imports and compiles everything
status = Path("/proc/self/status").read_text()
used = next(int(line.split()[1]) for line in status.splitlines() if line.startswith("VmData"))
resource.setrlimit(resource.RLIMIT_DATA, (used * 1024 + {room},) * 2)
print(train("large.npz"))
"""


@pytest.mark.slow
def test_data_larger_than_a_limit_of_memory_are_trained_on(tmp_path):
    """RLIMIT_DATA bounds all memory but mapped files, which RLIMIT_AS would count as well."""
    room, size = 100 * 2**20, 200 * 2**20
    for name, rows in (("small", 64), ("large", size // 4096)):
        x = np.zeros((rows, 1024), np.float32)
        x[:, 0] = np.linspace(0, 1, rows)
        y = np.arange(rows) % 2
        half = rows // 2
        np.savez(tmp_path / f"{name}.npz", x_train=x, y_train=y, x_test=x[:half], y_test=y[:half])
    command = [sys.executable, "-c", TRAIN_UNDER_A_LIMIT.format(room=room)]
    done = subprocess.run(command, capture_output=True, text=True, cwd=tmp_path, check=False)
    assert done.returncode == 0, done.stderr
    assert float(done.stdout) < 1e-6
