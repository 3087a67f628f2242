import subprocess
import sys

import pytest

# A CNN's step on arrays of a few MB, as every fit of the pipeline takes it from a generator.
FAULTS = """
import resource
import numpy as np
from pipeline.data.data_spec import ImageSpec
from pipeline.models.convolutional import cnn
from pipeline.training.compilation import compile_model, set_seeds
from pipeline.training.optimizers import build_optimizer
from pipeline.training.fitting import fit

set_seeds(0)
model = cnn(ImageSpec((32, 32, 3), "float32", 2), filters=[16], dense_units=4)
inputs, labels = np.zeros((640, 32, 32, 3), np.float32), np.zeros(640, np.int64)
faults = []
compile_model(model, build_optimizer("adam", 0.001))
fit(
    model, (inputs, labels), (inputs[:32], labels[:32]), epochs=3, batch_size=32, seed=0,
    on_epoch=lambda epoch: faults.append(resource.getrusage(resource.RUSAGE_SELF).ru_minflt),
)
print(faults[2] - faults[1])
"""


@pytest.mark.slow
@pytest.mark.skipif(sys.platform != "linux", reason="the setting is glibc's")
def test_a_step_takes_the_memory_that_the_last_one_freed():
    command = [sys.executable, "-c", FAULTS]
    done = subprocess.run(command, capture_output=True, text=True, timeout=120)
    assert done.returncode == 0, done.stderr
    assert int(done.stdout) < 5000
