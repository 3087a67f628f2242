import csv
import io

from mlflow.entities import Metric, Param, Run, RunData, RunInfo, RunTag

from pipeline.cli import runs_table
from pipeline.cli.runs_table import write_csv
from pipeline.tracking import names
from pipeline.tracking.ranking import criterion

CHOSEN = criterion("f1_macro")


def run(run_id, name, **params):
    info = RunInfo(run_id, "1", "me", "FINISHED", 0, 1, "active", run_name=name)
    metrics = [Metric(key, 0.5, 0, 0) for key in (CHOSEN.metric, CHOSEN.test_metric, names.SECONDS)]
    data = RunData(
        metrics, [Param(*one) for one in params.items()], [RunTag(names.PARITY, "exact")]
    )
    return Run(info, data)


def shown(runs, monkeypatch):
    monkeypatch.setattr(runs_table.console, "width", 80)
    with runs_table.console.capture() as printed:
        runs_table.show_runs(runs, CHOSEN)
    return printed.get().splitlines()


def test_a_long_name_is_shortened_and_nothing_else(monkeypatch):
    name = "model=lstm units=2 epochs=1 train_size=10 learning_rate=0.003 batch_size=64"
    head, row = shown([run("a1" * 16, name, units="2")], monkeypatch)
    assert head.split() == ["run", "name", "val", "F1", "test", "F1", "parity", "seconds"]
    assert row.split()[0] == "a1" * 4
    assert row.split()[-4:] == ["0.5000", "0.5000", "exact", "0.5"]
    assert "model=lstm units=2 epochs=1" in row
    assert max(len(head), len(row)) <= 80


def written(capsys, columns, records):
    write_csv(columns, records)
    return list(csv.reader(io.StringIO(capsys.readouterr().out)))


def test_what_a_spreadsheet_would_run_is_text(capsys):
    head, row = written(capsys, ["=cmd", "b"], [{"=cmd": "=cmd|' /C calc'!A0", "b": "@SUM(1)"}])
    assert head == ["'=cmd", "b"]
    assert row == ["'=cmd|' /C calc'!A0", "'@SUM(1)"]


def test_numbers_and_plain_text_are_as_they_are(capsys):
    record = {"a": -0.5, "b": "-1e-3", "c": "units=4", "d": None}
    assert written(capsys, list(record), [record])[1] == ["-0.5", "-1e-3", "units=4", ""]
