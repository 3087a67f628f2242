"""The plan of a sweep, shown before the first job."""

from collections.abc import Sequence

from rich.markup import escape
from rich.table import Table

from pipeline.sweep.plan import Plan
from pipeline.terminal.console import console


def show_plan(plan: Plan, data: Sequence[str], tracked_at: str) -> None:
    """Say how many runs there will be, of what, on which data, and where they are tracked."""
    count = len(plan.jobs)
    runs = f"{count} run{'s' if count > 1 else ''}"
    table = Table.grid(padding=(0, 2))
    table.add_row("[bold]plan[/]", escape(f"{runs}: {_varied(plan)}"))
    for line in data:
        table.add_row("[bold]data[/]", escape(line))
    table.add_row("[bold]tracking[/]", escape(tracked_at))
    for note in plan.notes:
        table.add_row("[bold yellow]note[/]", escape(note))
    console.print(table)


def _varied(plan: Plan) -> str:
    """`model=lstm units=32,64,128`: each key once, its values in the order given."""
    values: dict[str, list[str]] = {}
    for job in plan.jobs:
        for override in job.overrides:
            key, value = override.split("=", 1)
            values.setdefault(key, [])
            if value not in values[key]:
                values[key].append(value)
    given = " ".join(f"{key}={','.join(items)}" for key, items in values.items())
    return given or f"model={plan.jobs[0].settings.model_name}"
