"""The one console that everything is printed through."""

from rich.console import Console
from rich.markup import escape
from rich.padding import Padding
from rich.text import Text

from pipeline.data.printable import printable

console = Console(highlight=False, soft_wrap=False)
errors = Console(stderr=True, highlight=False)


def plain(text: str) -> str:
    """Text from outside as markup that shows it as it is, control characters as symbols."""
    return escape(_shown(text))


def say(sentence: str, style: str = "", indent: int = 0, to: Console = console) -> None:
    """Print prose: broken between words where a person reads it, else one line."""
    if to.is_terminal:
        text = Text(_shown(sentence), style)
        to.print(Padding(text, (0, 0, 0, indent), expand=False))
    else:
        print_line(" " * indent + sentence, to)


def print_line(line: str, to: Console = console) -> None:
    """Print what is copied, a command or a link: no line break is put into it."""
    to.print(_shown(line), markup=False, soft_wrap=True)


def _shown(text: str) -> str:
    return printable(text).replace("\r", "␍")  # which would go back to the start of the line


def print_faults(faults: list[str]) -> None:
    """One line per fault, on standard error."""
    for fault in faults:
        say(fault, to=errors)
