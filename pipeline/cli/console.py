"""The console that all output goes through."""

from rich.console import Console
from rich.markup import escape
from rich.padding import Padding
from rich.text import Text

from pipeline.data.printable import printable

console = Console(highlight=False, soft_wrap=False, emoji=False)  # a name may contain `:two:`
errors = Console(stderr=True, highlight=False, emoji=False)


def plain(text: str) -> str:
    """Escape text from outside so that markup shows it literally, control characters as symbols."""
    return escape(_shown(text))


def say(sentence: str, style: str = "", indent: int = 0, to: Console = console) -> None:
    """Print prose: wrapped at words on a terminal, otherwise as one line."""
    if to.is_terminal:
        text = Text(_shown(sentence), style)
        to.print(Padding(text, (0, 0, 0, indent), expand=False))
    else:
        print_line(" " * indent + sentence, to)


def print_line(line: str, to: Console = console) -> None:
    """Print a command or link to be copied, without line breaks inside it."""
    to.print(_shown(line), markup=False, soft_wrap=True)


def _shown(text: str) -> str:
    return printable(text).replace("\r", "␍")  # it would move the cursor to the line start


def print_faults(faults: list[str]) -> None:
    """Print one line per fault to standard error."""
    for fault in faults:
        say(fault, to=errors)
