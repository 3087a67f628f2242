import csv
import io
import json
import subprocess
import sys
from datetime import datetime

import pytest

from tests.support.commands import call, environment


def listed(sweep, *arguments, **changes):
    return call("pipeline.runs", *arguments, cwd=sweep.folder, **changes)


def test_runs_are_a_table_best_first(sweep):
    done = listed(sweep, COLUMNS="80")
    assert done.returncode == 0, done.stderr
    rows = done.stdout.splitlines()
    assert rows[0].split() == ["run_id", "what", "differs", "test", "F1", "parity", "seconds"]
    assert sorted(row.split()[1] for row in rows[1:]) == ["units=4", "units=6", "units=8"]
    scores = [float(row.split()[2]) for row in rows[1:]]
    assert len(scores) == 3
    assert all(float(row.split()[4]) > 0 for row in rows[1:])
    assert scores == sorted(scores, reverse=True)
    assert max(map(len, rows)) <= 80


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


@pytest.mark.parametrize(
    ("argument", "sentence"),
    [
        ("experiment=none", "experiment=none is not in sqlite:///"),
        ("where=units is 6", "where=units is 6 is refused: "),
        ("experimnt=x", "`experimnt` is not an option of this command (did you mean `experiment"),
    ],
)
def test_a_faulty_question_is_one_sentence(sweep, argument, sentence):
    done = listed(sweep, argument)
    assert done.returncode == 2
    assert done.stderr.startswith(sentence)
    assert len(done.stderr.splitlines()) == 1


def test_a_reader_who_has_seen_enough_is_no_fault(sweep):
    process = subprocess.Popen(
        [sys.executable, "-m", "pipeline.runs", "--csv"],
        cwd=sweep.folder,
        env=environment(),
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
    )
    process.stdout.close()
    assert (process.stderr.read(), process.wait()) == (b"", 0)
