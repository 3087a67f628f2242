import csv
import io

from pipeline.cli.runs_table import write_csv


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
