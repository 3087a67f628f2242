"""A program that trains through `import pipeline`, as a user writes it: without a main guard."""

import ast
import json
import subprocess
import sys

import pytest

from pipeline.tracking.store import open_local
from tests.support.commands import REPOSITORY, call_code, environment

PROGRAM = """
import sys
import pipeline

assert {"tensorflow", "mlflow", "numpy"}.isdisjoint(sys.modules)
print("started")
settings = {"units": 2, "l2": [0.0, 1e38], "train_size": 60, "epochs": 2}
table = pipeline.train("model=lstm", workers=1, **settings)
assert pipeline.runs(sweep="latest").equals(table)
again = pipeline.train("model=lstm", units=2, train_size=60, epochs=2)
table.to_json("table.json", orient="records")
again.to_json("again.json", orient="records")
print(pipeline.load("best")(["makanannya enak sekali"])[0].class_name)
"""


def run(program, folder):
    return subprocess.run(
        [sys.executable, program],
        cwd=folder,
        env=environment(),
        capture_output=True,
        text=True,
        timeout=300,
        check=False,
    )


@pytest.mark.slow
def test_a_program_trains_and_gets_its_runs_as_a_table(stocked):
    (stocked / "program.py").write_text(PROGRAM)
    done = run("program.py", stocked)
    assert done.returncode == 0, done.stdout + done.stderr
    assert done.stdout.count("started\n") == 1  # no worker has run the program again
    assert "python -m pipeline.train model=lstm workers=1 units=2" in done.stdout
    table = json.loads((stocked / "table.json").read_text())
    assert {(row["l2"], row["status"]) for row in table} == {(0.0, "FINISHED"), (1e38, "FAILED")}
    assert all(row["error"] for row in table if row["status"] == "FAILED")
    finished = [row for row in table if row["status"] == "FINISHED"]
    assert {row["parity"] for row in finished} <= {"exact", "close"}
    again = json.loads((stocked / "again.json").read_text())
    assert [row["run_id"] for row in again] == [row["run_id"] for row in finished]
    client = open_local(stocked).client
    experiment = client.get_experiment_by_name("reviews").experiment_id
    listed = {model.source_run_id for model in client.search_logged_models([experiment])}
    assert listed == {row["run_id"] for row in finished}
    assert done.stdout.splitlines()[-1] in ("negative", "neutral", "positive")


@pytest.mark.slow
def test_the_cells_of_the_notebook_run_in_order(stocked):
    notebook = json.loads((REPOSITORY / "docs/notebook.ipynb").read_text(encoding="utf-8"))
    cells = [cell for cell in notebook["cells"] if cell["cell_type"] == "code"]
    assert not any(cell["outputs"] for cell in cells)  # they would show a machine's paths
    program = "\n\n".join("".join(cell["source"]) for cell in cells)
    done = call_code(f'{program}\n\nprint(list(pipeline.runs()["parity"]))\n', cwd=stocked)
    assert done.returncode == 0, done.stdout + done.stderr
    assert "did you mean `units`" in done.stdout
    assert set(ast.literal_eval(done.stdout.splitlines()[-1])) <= {"exact", "close"}
    runs = open_local(stocked).client
    (experiment,) = [one for one in runs.search_experiments() if one.name == "reviews"]
    found = runs.search_runs([experiment.experiment_id], "metrics.`evaluation/new/f1_macro` >= 0")
    assert len(found) == 2
