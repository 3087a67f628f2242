"""The results table at the end of a sweep, and the links below it."""

from collections.abc import Collection, Sequence

from pipeline.cli import cells
from pipeline.cli.console import console, plain, print_line, say
from pipeline.sweep.schedule import Schedule
from pipeline.tracking.links import SweepView
from pipeline.tracking.queries import RunResult
from pipeline.tracking.ranking import Criterion


def show_results(
    results: Sequence[RunResult], done: Collection[str | None], criterion: Criterion
) -> None:
    """Print one row per run, the best one marked, then the ranking criterion and any failures.

    Args:
        done: ids of runs that earlier commands finished.
    """
    table = cells.open_table()
    table.add_column("run", no_wrap=True)
    table.add_column("settings", overflow="fold")
    for name in (f"val {criterion.column}", f"test {criterion.column}", "parity", "seconds"):
        table.add_column(name, justify="right", no_wrap=True)
    table.add_column("", overflow="fold")
    best = _best(results, criterion)
    for result in results:
        table.add_row(*_row(result, criterion, result is best, result.run_id in done))
    console.print()
    console.print(table)
    if best is not None:
        say(criterion.meaning, "dim")
    for result in results:
        for sentence in _remarks(result):
            say(f"{result.name}: {sentence}")


def _best(results: Sequence[RunResult], criterion: Criterion) -> RunResult | None:
    """Return the first result, or None if it has no score or there is no other run."""
    ranked = len(results) > 1 and results[0].metrics.get(criterion.metric) is not None
    return results[0] if ranked else None


def show_links(view: SweepView) -> None:
    """Print the exact command and link that open the sweep in the MLflow UI."""
    console.print()
    if view.command:
        console.print("Open the runs in MLflow:")
        print_line(f"  {view.command}")
    print_line(f"  {view.link}")
    console.print("or the curves:")
    print_line(f"  {view.curves}")


def show_way_on(command: str, schedule: Schedule, results: Sequence[RunResult]) -> None:
    """Print the command that resumes the sweep, if jobs are left."""
    failed = sum(result.status == "FAILED" for result in results)
    left = len(schedule.jobs) - sum(result.status == "FINISHED" for result in results)
    if not left:
        return
    console.print()
    if failed:
        console.print(f"{failed} failed. To train them again:")
        print_line(f"  {command} retry=failed")
    if left > failed:
        console.print(f"{left - failed} not finished. To resume, run the same command:")
        print_line(f"  {command}")


def _row(result: RunResult, criterion: Criterion, best: bool, done: bool) -> tuple[str, ...]:
    return (
        cells.short(result.run_id),
        plain(result.name),
        cells.score(result.metrics.get(criterion.metric)),
        cells.score(result.metrics.get(criterion.test_metric)),
        cells.parity(result.parity),
        cells.seconds(result.seconds),
        _remark(result, best, done),
    )


def _remark(result: RunResult, best: bool, done: bool) -> str:
    if result.status != "FINISHED":
        return f"[red]{result.status}[/]"
    words = {"best": best, "done": done, "[yellow]degenerate[/]": _is_degenerate(result)}
    return ", ".join(word for word, holds in words.items() if holds)


def _is_degenerate(result: RunResult) -> bool:
    return result.degenerate != "no"


def _remarks(result: RunResult) -> list[str]:
    remarks = [result.error] if result.error else []
    if _is_degenerate(result):
        remarks.append(f"on the test set the model {result.degenerate}.")
    if result.parity not in ("exact", None):
        remarks.append(f"parity {result.parity}: {result.parity_reason}")
    return remarks
