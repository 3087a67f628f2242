import subprocess
import sys

DEAF = """
import os, signal, sys, time
from pipeline.sweep import workers

class Deaf:
    def __del__(self):
        os.kill(os.getpid(), signal.SIGTERM)
        time.sleep(0.01)

workers._initialize(sys.argv[1])
with workers._job():
    try:
        Deaf()
        time.sleep(20)
    except KeyboardInterrupt:
        print("interrupted")
"""


def test_an_interruption_that_falls_into_a_destructor_is_repeated(tmp_path):
    command = [sys.executable, "-c", DEAF, str(tmp_path)]
    done = subprocess.run(command, capture_output=True, text=True, timeout=60)
    assert done.stdout == "interrupted\n", done.stderr
