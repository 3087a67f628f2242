"""Prints the plan of a sweep before its first job."""

from collections import Counter

from rich.table import Table

from pipeline.cli.console import console, plain
from pipeline.sweep.plan import SweepPlan
from pipeline.sweep.schedule import Schedule
from pipeline.tracking.attempts import State


def show_plan(plan: SweepPlan, schedule: Schedule, tracked_at: str) -> None:
    """Print the number of jobs, their data and where they are tracked."""
    count = len(plan.jobs)
    runs = f"{count} run{'s' if count > 1 else ''}"
    table = Table.grid(padding=(0, 2))
    table.add_row("[bold]plan[/]", plain(f"{runs}: {plan.title}"))
    if told := _standings(schedule):
        table.add_row("", plain(f"{told}{_choice(schedule)}"))
    for line in schedule.data:
        table.add_row("[bold]data[/]", plain(line))
    table.add_row("[bold]tracking[/]", plain(f"{tracked_at} (sweep {schedule.sweep_id})"))
    for note in (*plan.notes, *_repeated(schedule)):
        table.add_row("[bold yellow]note[/]", plain(note))
    console.print(table)


def _standings(schedule: Schedule) -> str:
    """Return `7 done, 1 failed (will be retried), 3 new`, or "" if all jobs are new."""
    stands = [scheduled.standing for scheduled in schedule.jobs]
    counts = Counter(stand.state for stand in stands)
    epochs = sorted({stand.epoch for stand in stands if stand.state == "interrupted"})
    where = "/".join(map(str, epochs[:4])) + ("/..." if len(epochs) > 4 else "")
    remarks: dict[State, str] = {
        "done": "",
        "failed": " (will be retried)",
        "damaged": " (artifacts are gone or altered; new runs will be made)",
        "interrupted": f" (continues from epoch {where})" if any(epochs) else " (starts again)",
        "pruned": " by a search (continues from there)",
        "running": " in another process (will be waited for)",
        "new": "",
    }
    if set(counts) <= {"new"}:
        return ""
    return ", ".join(f"{counts[s]} {s}{remark}" for s, remark in remarks.items() if counts[s])


def _choice(schedule: Schedule) -> str:
    """Return the effect of a command-line option such as `rerun`, or ""."""
    if schedule.running.rerun:
        return "; rerun=true: all are trained again"
    if schedule.running.retry == "failed":
        return f"; retry=failed: only {len(schedule.to_train)} will be trained"
    return ""


def _repeated(schedule: Schedule) -> list[str]:
    if not schedule.repeated:
        return []
    return [f"{schedule.repeated} of the runs would repeat another one, and are left out."]
