"""The one console that everything is printed through."""

from rich.console import Console

console = Console(highlight=False, soft_wrap=False)
errors = Console(stderr=True, highlight=False, soft_wrap=True)


def print_faults(faults: list[str]) -> None:
    """One line a fault, on standard error."""
    for fault in faults:
        errors.print(fault, markup=False)
