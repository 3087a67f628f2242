"""Prints the outcome of a parity check and its diagnosis."""

from collections.abc import Sequence
from typing import TYPE_CHECKING

from pipeline.cli import cells
from pipeline.cli.console import console, plain, say
from pipeline.tasks import task_named
from pipeline.verification.check import Parity

if TYPE_CHECKING:
    from pipeline.verification.diagnosis import LayerCheck


def show_parity(name: str, run_id: str, parity: Parity) -> None:
    """Print the run, the outcome and the numbers behind it."""
    console.print(f"{plain(name)}  [dim]{run_id}[/]  {cells.parity(parity.tag)}")
    if parity.reason:
        say(parity.reason, indent=2)
    if (agreement := parity.agreement) is not None and parity.seconds is not None:
        task = task_named(parity.task)
        facts = [
            f"{task.compared[name]} {pair.keras:.4f} Keras, {pair.scratch:.4f} from scratch"
            for name, pair in agreement.scores.items()
        ]
        facts.append(f"largest difference {agreement.max_abs_diff:.1e}")
        if (certified := agreement.certified_fraction) is not None:
            facts.append(f"{certified:.2%} of the {task.decided_several} certified")
        say("; ".join([*facts, f"{parity.seconds:.2f} s"]), indent=2)


def show_diagnosis(checks: "Sequence[LayerCheck]", guilty: "LayerCheck | None") -> None:
    """Print one row per layer: the accumulated difference, and the layer's own."""
    table = cells.open_table()
    table.add_column("layer", overflow="fold")
    for name in ("class", "output", "carried", "own", "own, ULP", "worst at"):
        table.add_column(name, justify="right")
    for check in checks:
        style = "red" if check is guilty else None
        numbers = (f"{check.carried:.1e}", f"{check.isolated:.1e}", f"{check.isolated_ulp:.1f}")
        shape, worst = "x".join(map(str, check.shape)), ",".join(map(str, check.worst))
        table.add_row(plain(check.layer), check.kind, shape, *numbers, worst, style=style)
    console.print(table)
    if guilty is None:
        console.print("No layer differs: each one's own difference is rounding.")
    else:
        console.print(f"At fault: {plain(guilty.layer)} ({guilty.kind}).", style="red")
