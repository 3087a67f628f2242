import csv
import io
import json
from datetime import datetime

import pytest

from tests.support.commands import call, call_code

WITHOUT_A_READER = """
import os

read, written = os.pipe()
os.close(read)
os.dup2(written, 1)
from pipeline.runs import main

main()
"""


def listed(sweep, *arguments, **changes):
    return call("pipeline.runs", *arguments, cwd=sweep.folder, **changes)


def test_runs_are_a_table_best_validation_score_first(sweep):
    done = listed(sweep, COLUMNS="80")
    assert done.returncode == 0, done.stderr
    head, *rows = done.stdout.splitlines()
    assert head.split()[:8] == ["run", "units", "val", "F1", "test", "F1", "parity", "seconds"]
    assert sorted(row.split()[1] for row in rows) == ["4", "6", "8"]
    scores = [float(row.split()[2]) for row in rows]
    assert scores == sorted(scores, reverse=True)
    logged = {run.info.run_id[:8]: run.data.metrics for run in sweep.runs}
    for run_id, _, validation, test, parity, seconds, *_ in map(str.split, rows):
        assert validation == f"{logged[run_id]['validation/f1_macro']:.4f}"
        assert test == f"{logged[run_id]['test/f1_macro']:.4f}"
        assert (parity, float(seconds) > 0) == ("exact", True)
    assert max(map(len, done.stdout.splitlines())) <= 80


def test_runs_are_chosen_sorted_and_counted(sweep):
    (own,) = {run.data.tags["sweep"] for run in sweep.runs}
    chosen = [f"sweep={own}", "sort=-units", "limit=2", "where=params.units > 5"]
    records = json.loads(listed(sweep, *chosen, "--json").stdout)
    assert [record["params.units"] for record in records] == ["8", "6"]
    least = json.loads(listed(sweep, "sweep=latest", "select_by=loss", "--json").stdout)
    losses = [record["metrics.validation/loss"] for record in least]
    assert losses == sorted(losses)
    assert len(losses) == 3


def test_a_condition_chooses_by_parameter_and_metric(sweep):
    where = "where=params.units = '6' and metrics.`test/f1_macro` >= 0"
    (record,) = json.loads(listed(sweep, where, "--json").stdout)
    assert record["name"] == "units=6"
    assert record["params.units"] == "6"
    assert record["tags.parity"] == "exact"
    assert datetime.fromisoformat(record["started"]) < datetime.fromisoformat(record["ended"])
    assert record["metrics.parity/agreement"] == 1


def test_csv_holds_all_that_is_known(sweep):
    rows = list(csv.DictReader(io.StringIO(listed(sweep, "experiment=reviews", "--csv").stdout)))
    assert {row["params.units"] for row in rows} == {"4", "6", "8"}
    assert all(float(row["metrics.test/loss"]) > 0 for row in rows)
    assert {row["experiment"] for row in rows} == {"reviews"}
    commits = {run.data.tags.get("mlflow.source.git.commit", "") for run in sweep.runs}
    assert {row.get("tags.mlflow.source.git.commit", "") for row in rows} == commits


@pytest.mark.parametrize(
    ("argument", "sentence"),
    [
        ("experiment=none", "experiment=none is not in sqlite:///"),
        ("where=units is 6", "where=units is 6 is refused: "),
        ("limit=0", "limit=0 must be a whole number, 1 or more, or null."),
        ("select_by=test/f1_macro", "select_by=test/f1_macro must be accuracy, auto, f1_macro, "),
        ("experimnt=x", "`experimnt` is not an option of this command (did you mean `experiment"),
    ],
)
def test_a_faulty_question_is_one_sentence(sweep, argument, sentence):
    done = listed(sweep, argument)
    assert done.returncode == 2
    assert done.stderr.startswith(sentence)
    assert len(done.stderr.splitlines()) == 1


def test_a_reader_who_has_seen_enough_is_no_fault(sweep):
    done = call_code(WITHOUT_A_READER, "--csv", cwd=sweep.folder)
    assert (done.stderr, done.returncode) == ("", 0)


def test_a_folder_without_a_store_stays_as_it_is(tmp_path):
    done = call("pipeline.runs", cwd=tmp_path)
    assert done.returncode == 2
    assert done.stderr.startswith("There is no store at")
    assert len(done.stderr.splitlines()) == 1
    assert list(tmp_path.iterdir()) == []


def test_what_would_be_deleted_is_shown_first(sweep):
    sweep_id = sweep.runs[0].data.tags["sweep"]
    done = listed(sweep, f"delete={sweep_id}")
    assert done.returncode == 0, done.stderr
    assert done.stdout.splitlines()[-1] == "Nothing has been deleted. To delete 4, add sure=true."
    assert {row.split()[0] for row in done.stdout.splitlines()[:-1]} > {
        run.info.run_id for run in sweep.runs
    }
    assert len(sweep.runs) == 3
