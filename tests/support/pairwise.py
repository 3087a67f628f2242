"""Few combinations that cover every pair of options' values."""

import itertools
import random
from collections.abc import Mapping, Sequence
from typing import Any

Row = dict[str, Any]


def with_new_values(rows: Sequence[Row]) -> list[Row]:
    """The rows in which some option has a value that it has in no earlier one."""
    seen: set[tuple[str, str]] = set()
    few = []
    for row in rows:
        values = {(name, repr(value)) for name, value in row.items()}
        if values - seen:
            few.append(row)
        seen |= values
    return few


def pairwise(options: Mapping[str, Sequence[Any]], seed: int) -> list[Row]:
    """Combine values greedily until every pair of values of two options stands in some row.

    Args:
        options: Values by option; the first is the plainest.
        seed: Seed of the ties.
    """
    names = list(options)
    if len(names) < 2:
        return [{name: value} for name in names for value in options[name]] or [{}]
    missing = {
        frozenset([(a, i), (b, j)])
        for a, b in itertools.combinations(names, 2)
        for i in range(len(options[a]))
        for j in range(len(options[b]))
    }
    rows = []
    draw = random.Random(seed)
    while missing:
        row = dict(min(missing, key=sorted))
        rest = [name for name in names if name not in row]
        draw.shuffle(rest)
        for name in rest:
            row[name] = max(
                draw.sample(range(len(options[name])), len(options[name])),
                key=lambda i, name=name: sum(
                    frozenset([(name, i), pair]) in missing for pair in row.items()
                ),
            )
        missing -= {frozenset(pair) for pair in itertools.combinations(row.items(), 2)}
        rows.append({name: options[name][row[name]] for name in names})
    return rows
