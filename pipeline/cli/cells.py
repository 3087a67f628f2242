"""Cells that several tables have: numbers, the tag of a parity check, the beginning of an id."""

from rich.table import Table

from pipeline.tracking.run_choice import SHORT

_PARITY_COLOURS = {"exact": "green", "close": "yellow", "-": "default"}
NONE = "-"


def number(value: float | None, form: str) -> str:
    """A number in a format, or a dash where there is none."""
    return NONE if value is None else f"{value:{form}}"


def score(value: float | None) -> str:
    """A score with four decimals."""
    return number(value, ".4f")


def seconds(value: float | None) -> str:
    """A time with one decimal."""
    return number(value, ".1f")


def parity(tag: str | None) -> str:
    """The tag of a parity check in its colour, as markup."""
    word = tag or NONE
    return f"[{_PARITY_COLOURS.get(word, 'red')}]{word}[/]"


def short(run_id: str) -> str:
    """The beginning of a run's id, which every `run_id=` takes."""
    return run_id[:SHORT]


def open_table() -> Table:
    """A table without lines, its heads bold."""
    return Table(box=None, padding=(0, 2, 0, 0), header_style="bold")
