"""What takes seconds to import is not imported before there is work for it."""

import subprocess
import sys

import pytest

from tests.support.commands import environment

COMMANDS = ("train", "parity", "report", "runs", "predict", "fetch", "ui", "evaluate")
SLOW_TO_IMPORT = (
    *("tensorflow", "keras", "mlflow", "sqlalchemy"),
    *("scipy", "pandas", "sklearn", "matplotlib"),
)
START = f"""
import runpy, sys
sys.modules.update(dict.fromkeys({SLOW_TO_IMPORT}))  # to import one of them is an error
for sys.argv[0] in {COMMANDS}:
    try:
        runpy.run_module("pipeline." + sys.argv[0], run_name="__main__")
    except SystemExit as end:
        print("ended with", end.code)
"""


@pytest.mark.parametrize(
    ("argument", "answer"), [("--help", "python -m pipeline."), ("bogus=1", "ended with 2")]
)
def test_help_and_refusal_import_nothing_slow(tmp_path, argument, answer):
    done = subprocess.run(
        [sys.executable, "-c", START, argument],
        cwd=tmp_path,
        env=environment(),
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    lines = done.stdout.splitlines()
    assert sum(line.startswith(answer) for line in lines) >= len(COMMANDS), done.stderr
    assert list(tmp_path.iterdir()) == []
