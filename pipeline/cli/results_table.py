"""The table that closes a sweep, and where to look further."""

from collections.abc import Collection, Sequence

from rich.markup import escape
from rich.table import Table

from pipeline.cli.console import console, print_line, say
from pipeline.sweep.schedule import Schedule
from pipeline.tracking.links import SweepView
from pipeline.tracking.queries import Result

_PARITY_COLOURS = {"exact": "green", "close": "yellow"}


def show_results(results: Sequence[Result], done: Collection[str | None]) -> None:
    """One row a run, the best one marked; below it, what went wrong and why.

    Args:
        results: of the sweep's runs, best first.
        done: ids of those that were there before.
    """
    table = Table(box=None, padding=(0, 2, 0, 0), header_style="bold")
    table.add_column("run", overflow="fold")
    for name in ("test F1", "parity", "seconds"):
        table.add_column(name, justify="right", no_wrap=True)
    table.add_column("")
    for place, result in enumerate(results):
        best = place == 0 and len(results) > 1
        table.add_row(*_row(result, best, done=result.run_id in done))
    console.print()
    console.print(table)
    for result in results:
        for sentence in _remarks(result):
            say(f"{result.name}: {sentence}")


def show_links(view: SweepView) -> None:
    """The exact command and link that open the sweep in the MLflow UI."""
    console.print()
    if view.command:
        console.print("Open the runs in MLflow:")
        print_line(f"  {view.command}")
    print_line(f"  {view.link}")
    console.print("or the curves:")
    print_line(f"  {view.curves}")


def show_way_on(command: str, schedule: Schedule, results: Sequence[Result]) -> None:
    """Where jobs are left, the command that does them."""
    failed = sum(result.status == "FAILED" for result in results)
    left = len(schedule.entries) - sum(result.status == "FINISHED" for result in results)
    if not left:
        return
    console.print()
    if failed:
        console.print(f"{failed} failed. To train them again:")
        print_line(f"  {command} retry=failed")
    if left > failed:
        console.print(f"{left - failed} not finished. The same command goes on:")
        print_line(f"  {command}")


def _row(result: Result, best: bool, done: bool) -> tuple[str, ...]:
    parity = result.parity or "-"
    colour = _PARITY_COLOURS.get(parity, "red")
    remarks = ["best"] if best and result.f1_macro is not None else []
    remarks += ["done"] if done else []
    remark = ", ".join(remarks)
    if result.status != "FINISHED":
        remark = f"[red]{result.status}[/]"
    elif result.degenerate != "no":
        remark = f"[yellow]{escape(result.degenerate)}[/]"
    return (
        escape(result.name),
        "-" if result.f1_macro is None else f"{result.f1_macro:.4f}",
        f"[{colour}]{parity}[/]",
        "-" if result.seconds is None else f"{result.seconds:.1f}",
        remark,
    )


def _remarks(result: Result) -> list[str]:
    remarks = []
    if result.error:
        remarks.append(result.error)
    if result.parity not in ("exact", None):
        remarks.append(f"parity {result.parity}: {result.parity_reason}")
    return remarks
