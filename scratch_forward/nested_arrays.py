"""Arrays alone, or in lists, tuples and dicts: walked, counted, and taken some rows of each."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any

import numpy as np


def leaves(structure: Any) -> Iterator[Any]:
    """Yield the arrays in a list, tuple or dict, however deep."""
    if isinstance(structure, list | tuple):
        for item in structure:
            yield from leaves(item)
    elif isinstance(structure, dict):
        for item in structure.values():
            yield from leaves(item)
    else:
        yield structure


def map_leaves(function: Callable[[Any], Any], structure: Any) -> Any:
    """Apply a function to every array of a tuple or dict, or of a list of arrays."""
    if isinstance(structure, dict):
        return {key: map_leaves(function, item) for key, item in structure.items()}
    arrays = isinstance(structure, list) and any(isinstance(i, np.ndarray) for i in structure)
    if arrays or isinstance(structure, tuple):
        return [map_leaves(function, item) for item in structure]
    return function(structure)


def columns_of(x: Any) -> tuple[Any, int]:
    """Return the inputs as arrays, and the number of examples in each.

    Raises:
        ValueError: If it differs, or is 0.
    """
    columns = map_leaves(np.asarray, x)
    sizes = {len(column) for column in leaves(columns)}
    if len(sizes) != 1 or 0 in sizes:
        raise ValueError(f"Expected the same positive number of examples, got {sizes}.")
    return columns, sizes.pop()


def elements_of(columns: Any) -> int:
    """Count the numbers in the inputs of one example."""
    return sum(column.size // len(column) for column in leaves(columns))


def rows_of(columns: Any, chunk: slice) -> Any:
    """Take some examples of every array."""
    return map_leaves(lambda column: column[chunk], columns)
