import json
import os
import subprocess
import sys

import pytest

pytestmark = pytest.mark.slow  # each imports TensorFlow in a process of its own

AFTER = """
import sys
import pipeline.sweep.workers.preloaded
print("matplotlib" in sys.modules)
from matplotlib import pyplot
print(pyplot.__name__)
"""


def test_nothing_that_trains_imports_matplotlib_and_others_still_can():
    done = subprocess.run(
        [sys.executable, "-c", AFTER], capture_output=True, text=True, timeout=120
    )
    assert done.returncode == 0, done.stderr
    assert done.stdout.split() == ["False", "matplotlib.pyplot"]


SETTINGS = """
from pipeline.models.keras_backend import keras
config = keras.config
print(config.image_data_format(), config.floatx(), config.epsilon(), config.dtype_policy().name)
print(config.max_epochs(), config.max_steps_per_epoch(), keras.layers.Conv2D(1, 1).data_format)
"""


def test_the_users_own_keras_settings_change_no_model(tmp_path):
    own = {"image_data_format": "channels_first", "floatx": "float16", "epsilon": 0.01}
    (tmp_path / "keras.json").write_text(json.dumps({**own, "max_epochs": 1}))
    changed = {"KERAS_HOME": str(tmp_path), "KERAS_MAX_STEPS_PER_EPOCH": "1"}
    done = subprocess.run(
        [sys.executable, "-c", SETTINGS],
        env={**os.environ, **changed},
        capture_output=True,
        text=True,
        timeout=120,
    )
    assert done.returncode == 0, done.stderr
    assert done.stdout.split() == [
        *("channels_last", "float32", "1e-07", "float32"),
        *("None", "None", "channels_last"),
    ]
