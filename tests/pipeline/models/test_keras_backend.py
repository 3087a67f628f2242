import subprocess
import sys

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
