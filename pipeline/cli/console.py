"""The one console that everything is printed through."""

from rich.console import Console
from rich.padding import Padding
from rich.text import Text

console = Console(highlight=False, soft_wrap=False)
errors = Console(stderr=True, highlight=False)


def say(sentence: str, style: str = "", indent: int = 0, to: Console = console) -> None:
    """Print prose: broken between words where a person reads it, else one line."""
    if to.is_terminal:
        to.print(Padding(Text(sentence, style), (0, 0, 0, indent), expand=False))
    else:
        print_line(" " * indent + sentence, to)


def print_line(line: str, to: Console = console) -> None:
    """Print what is copied, a command or a link: no line break is put into it."""
    to.print(line, markup=False, soft_wrap=True)


def print_faults(faults: list[str]) -> None:
    """One line a fault, on standard error."""
    for fault in faults:
        say(fault, to=errors)
