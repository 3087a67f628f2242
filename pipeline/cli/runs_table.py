"""A table of runs and how they did."""

from collections.abc import Sequence
from datetime import datetime

from mlflow.entities import Run
from rich.markup import escape
from rich.table import Table

from pipeline.cli.console import console
from pipeline.reports.study.varied import told_apart_by
from pipeline.settings.as_typed import label
from pipeline.tracking import names

_ROOM_FOR_STARTED = 100  # columns of the terminal


def show_runs(runs: Sequence[Run]) -> None:
    """One row a run: its id, what tells it from the others, score, parity, time."""
    if not runs:
        console.print("No runs.")
        return
    keys = told_apart_by([run.data for run in runs])
    table = Table(box=None, padding=(0, 2, 0, 0), header_style="bold")
    table.add_column("run_id", no_wrap=True)
    table.add_column("what differs" if keys else "run", overflow="fold")
    for name in ("test F1", "parity", "seconds"):
        table.add_column(name, justify="right", no_wrap=True)
    wide = console.width >= _ROOM_FOR_STARTED
    if wide:
        table.add_column("started", no_wrap=True)
    for run in runs:
        table.add_row(run.info.run_id, *_cells(run, keys), *([_started(run)] if wide else []))
    console.print(table)


def _cells(run: Run, keys: Sequence[str]) -> tuple[str, ...]:
    params, metrics = run.data.params, run.data.metrics
    differs = " ".join(f"{key}={label(params[key])}" for key in keys if key in params)
    finished = run.info.status == "FINISHED"
    return (
        escape(differs or run.info.run_name),
        _number(metrics.get(names.TEST_F1_MACRO), ".4f"),
        run.data.tags.get(names.PARITY, "-") if finished else f"[red]{run.info.status}[/]",
        _number(metrics.get(names.SECONDS), ".1f"),
    )


def _number(value: float | None, form: str) -> str:
    return "-" if value is None else f"{value:{form}}"


def _started(run: Run) -> str:
    return f"{datetime.fromtimestamp(run.info.start_time / 1000):%Y-%m-%d %H:%M}"
