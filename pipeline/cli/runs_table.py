"""A table of runs with their scores, on the terminal or as CSV."""

import csv
import sys
from collections.abc import Iterable, Mapping, Sequence
from datetime import datetime

from mlflow.entities import Run
from rich.cells import cell_len
from rich.text import Text

from pipeline.cli import cells
from pipeline.cli.console import console, plain, say
from pipeline.reports.study.varied import told_apart_by
from pipeline.settings.as_typed import as_number, logged_parameters
from pipeline.tracking import names
from pipeline.tracking.ranking import Criterion

_FORMULA = ("=", "+", "-", "@", "\t", "\r")  # prefixes that a spreadsheet reads as a formula
_STARTED = "2026-11-23 09:48"  # a sample value, for the width of that column
_GAP = 2
_RUN = cells.SHORT + _GAP


def show_runs(runs: Sequence[Run], criterion: Criterion) -> None:
    """Print one line per run: id, scores, parity, time, and the settings that differ."""
    if not runs:
        console.print("No runs.")
        return
    params = [logged_parameters(run.data.params) for run in runs]
    keys = told_apart_by(params)
    heads = [f"val {criterion.column}", f"test {criterion.column}", "parity", "seconds"]
    rows = [_cells(run, criterion) for run in runs]
    columns = _fitting(keys, params, _room(heads, rows))
    _print(heads, rows, columns or {"name": [run.info.run_name for run in runs]}, runs)
    if left_out := [key for key in keys if key not in columns]:
        say(f"They also differ in {', '.join(left_out)}; --csv shows all.", "dim")


def _print(
    heads: Sequence[str],
    rows: Sequence[tuple[str, ...]],
    settings: dict[str, list[str]],
    runs: Sequence[Run],
) -> None:
    table = cells.open_table()
    table.add_column("run", no_wrap=True)
    widest = max(_room(heads, rows) - _GAP, 1)
    for key in settings:
        table.add_column(plain(key), no_wrap=True, overflow="ellipsis", max_width=widest)
    for name in heads:
        table.add_column(name, justify="right", no_wrap=True)
    wide = _needed(settings) + len(_STARTED) <= _room(heads, rows)
    if wide:
        table.add_column("started", no_wrap=True)
    for place, (row, run) in enumerate(zip(rows, runs, strict=True)):
        differs = [plain(values[place]) for values in settings.values()]
        started = [_started(run)] if wide else []
        table.add_row(cells.short(run.info.run_id), *differs, *row, *started)
    console.print(table)


def _fitting(
    keys: Sequence[str], params: Sequence[dict[str, str]], room: int
) -> dict[str, list[str]]:
    """Return the columns of settings that fit into the available width."""
    columns: dict[str, list[str]] = {}
    for key in keys:
        values = [each.get(key, "") for each in params]
        if _needed({**columns, key: values}) <= room:
            columns[key] = values
    return columns


def _needed(columns: dict[str, list[str]]) -> int:
    widest = (max(map(cell_len, (key, *values))) for key, values in columns.items())
    return sum(width + _GAP for width in widest)


def _room(heads: Sequence[str], rows: Sequence[tuple[str, ...]]) -> int:
    """Return the width that ids and scores leave for the settings."""
    return console.width - _RUN - _width(heads, rows)


def _width(heads: Sequence[str], rows: Sequence[tuple[str, ...]]) -> int:
    columns = zip(
        heads, *([Text.from_markup(cell).plain for cell in row] for row in rows), strict=True
    )
    return sum(max(map(cell_len, column)) + _GAP for column in columns)


def _cells(run: Run, criterion: Criterion) -> tuple[str, ...]:
    metrics = run.data.metrics
    finished = run.info.status == "FINISHED"
    return (
        cells.score(metrics.get(criterion.metric)),
        cells.score(metrics.get(criterion.test_metric)),
        cells.parity(run.data.tags.get(names.PARITY)) if finished else f"[red]{run.info.status}[/]",
        cells.seconds(metrics.get(names.SECONDS)),
    )


def _started(run: Run) -> str:
    return f"{datetime.fromtimestamp(run.info.start_time / 1000):%Y-%m-%d %H:%M}"


def write_csv(columns: Sequence[str], records: Iterable[Mapping[str, object]]) -> None:
    """Write a header and one row per record to standard output.

    Text that a spreadsheet would read as a formula is prefixed with an apostrophe. Numbers,
    including negative ones, are written unchanged.
    """
    table = csv.DictWriter(sys.stdout, list(columns), lineterminator="\n")
    table.writerow({column: _harmless(column) for column in columns})
    table.writerows({key: _harmless(value) for key, value in record.items()} for record in records)


def _harmless(value: object) -> object:
    if isinstance(value, str) and value.startswith(_FORMULA) and as_number(value) is None:
        return f"'{value}"
    return value
