"""CSV on standard output, safe to open in a spreadsheet."""

import csv
import sys
from collections.abc import Iterable, Mapping, Sequence

_FORMULA = ("=", "+", "-", "@", "\t", "\r")  # what spreadsheets take for the start of a formula


def write_csv(columns: Sequence[str], records: Iterable[Mapping[str, object]]) -> None:
    """Write a head and a row per record; an apostrophe goes before text that begins as a formula.

    Numbers are written as they are, negative ones too.
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
