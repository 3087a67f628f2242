"""A table of runs and how they did."""

from collections.abc import Sequence

from mlflow.entities import Run
from rich.markup import escape
from rich.table import Table

from pipeline.terminal.console import console


def show_runs(runs: Sequence[Run]) -> None:
    """One row a run: its id, its name (what was varied), score, parity and state."""
    table = Table(box=None, padding=(0, 2, 0, 0), header_style="bold")
    table.add_column("run_id", no_wrap=True)
    table.add_column("run", overflow="fold")
    for name in ("test F1", "parity", "status"):
        table.add_column(name, justify="right", no_wrap=True)
    for run in runs:
        f1 = run.data.metrics.get("test/f1_macro")
        table.add_row(
            run.info.run_id,
            escape(run.info.run_name),
            "-" if f1 is None else f"{f1:.4f}",
            run.data.tags.get("parity", "-"),
            run.info.status,
        )
    console.print(table if runs else "No runs.")
