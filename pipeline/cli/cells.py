"""Cells that several tables share: numbers, parity tags, shortened run ids."""

from rich.table import Table

from pipeline.tracking.attempts import UNCHECKED
from pipeline.tracking.run_choice import SHORT

NONE = "-"
_UNCOLOURED = dict.fromkeys((*UNCHECKED, NONE), "default")
_PARITY_COLOURS = {"exact": "green", "close": "yellow", **_UNCOLOURED}


def number(value: float | None, form: str) -> str:
    """Format a number; a dash if it is None."""
    return NONE if value is None else f"{value:{form}}"


def score(value: float | None) -> str:
    """Format a score with four decimals."""
    return number(value, ".4f")


def seconds(value: float | None) -> str:
    """Format a time in seconds with one decimal."""
    return number(value, ".1f")


def parity(tag: str | None) -> str:
    """Return the parity tag in its colour, as markup."""
    word = tag or NONE
    return f"[{_PARITY_COLOURS.get(word, 'red')}]{word}[/]"


def short(run_id: str) -> str:
    """Return the beginning of a run id, which every `run_id=` accepts."""
    return run_id[:SHORT]


def open_table() -> Table:
    """Return an empty table with bold headings and no rules."""
    return Table(box=None, padding=(0, 2, 0, 0), header_style="bold")
