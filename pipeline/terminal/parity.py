"""The outcome of a parity check, told in two lines."""

from rich.markup import escape

from pipeline.terminal.console import console
from pipeline.verification import Parity

_COLOURS = {"exact": "green", "close": "yellow"}


def show_parity(name: str, run_id: str, parity: Parity) -> None:
    """Which run, how it ended, and by which numbers."""
    colour = _COLOURS.get(parity.tag, "red")
    console.print(f"{escape(name)}  [dim]{run_id}[/]  [{colour}]{parity.tag}[/]")
    if parity.reason:
        console.print(f"  {parity.reason}", markup=False, soft_wrap=True)
    if (agreement := parity.agreement) is not None and parity.seconds is not None:
        console.print(
            f"  F1 {agreement.f1_keras:.4f} Keras, {agreement.f1_scratch:.4f} from scratch; "
            f"largest difference {agreement.max_abs_diff:.1e}; "
            f"{agreement.certified_fraction:.2%} of the classes certified; {parity.seconds:.2f} s",
            soft_wrap=True,
        )
