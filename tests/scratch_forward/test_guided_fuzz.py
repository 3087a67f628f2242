"""Archives damaged where coverage says that it leads further: the same contract."""

import os
import re
import subprocess
import sys
from pathlib import Path

import pytest

pytest.importorskip("atheris", reason="atheris is not installed (the extra test, on Linux x86-64)")

PROGRAM = "tests.support.guided_fuzz"
ROOT = Path(__file__).parents[2]
RUNS = 12_000  # about a quarter of a minute of one core


@pytest.mark.slow
def test_archives_damaged_where_it_leads_further_are_refused_in_one_sentence(tmp_path) -> None:
    corpus = tmp_path / "corpus"
    corpus.mkdir()
    options = [f"-runs={RUNS}", "-seed=1", "-max_len=65536", "-timeout=20", "-print_final_stats=1"]
    options.append("-mutate_depth=1")  # one damage a run: more at once are refused at the first
    options.append("-rss_limit_mb=0")  # it counts the parent's memory; the contract does not
    options.append(f"-artifact_prefix={tmp_path}/")  # an archive that breaks the contract goes here
    done = subprocess.run(
        [sys.executable, "-m", PROGRAM, corpus, *options],
        capture_output=True,
        text=True,
        check=False,
        timeout=600,
        cwd=ROOT,
        env=os.environ | {"PYTHONHASHSEED": "0"},  # the same runs every time
    )
    assert done.returncode == 0, done.stdout[-4000:] + done.stderr[-1000:]
    statistics = dict(re.findall(r"stat::(\w+): *(\d+)", done.stderr))
    assert int(statistics["number_of_executed_units"]) >= RUNS
    assert int(statistics["new_units_added"]) > 500  # archives that led further: it is guided
