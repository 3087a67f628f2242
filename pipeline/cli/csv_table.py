"""CSV output that is safe to open in a spreadsheet."""

import csv
import sys
from collections.abc import Iterable, Mapping, Sequence

_FORMULA = ("=", "+", "-", "@", "\t", "\r")  # prefixes that a spreadsheet reads as a formula


def write_csv(columns: Sequence[str], records: Iterable[Mapping[str, object]]) -> None:
    """Write a header and one row per record to standard output.

    Text that a spreadsheet would read as a formula is prefixed with an apostrophe. Numbers,
    including negative ones, are written unchanged.
    """
    table = csv.DictWriter(sys.stdout, list(columns), lineterminator="\n")
    table.writerow({column: _harmless(column) for column in columns})
    table.writerows({key: _harmless(value) for key, value in record.items()} for record in records)


def _harmless(value: object) -> object:
    if isinstance(value, str) and value.startswith(_FORMULA) and not _is_number(value):
        return f"'{value}"
    return value


def _is_number(text: str) -> bool:
    try:
        float(text)
    except ValueError:
        return False
    return True
