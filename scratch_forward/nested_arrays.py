"""Nested structures of arrays: single arrays, or lists, tuples and dicts of them.

Dicts are traversed by sorted key, as in Keras.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any

import numpy as np


def leaves(structure: Any) -> Iterator[Any]:
    """Yield the leaves of nested lists, tuples and dicts."""
    if isinstance(structure, list | tuple):
        for item in structure:
            yield from leaves(item)
    elif isinstance(structure, dict):
        for key in sorted(structure):
            yield from leaves(structure[key])
    else:
        yield structure


def map_leaves(function: Callable[[Any], Any], structure: Any) -> Any:
    """Apply a function to every leaf of nested lists, tuples and dicts. Tuples become lists."""
    if isinstance(structure, dict):
        return {key: map_leaves(function, item) for key, item in structure.items()}
    if isinstance(structure, list | tuple):
        return [map_leaves(function, item) for item in structure]
    return function(structure)


def columns_of(x: Any) -> tuple[Any, int]:
    """Convert inputs to arrays. Returns them with the number of examples.

    A list is several inputs if it contains arrays, data frames, tuples or dicts at any depth. A
    list of numbers or texts, or of lists of them, is one array.

    Raises:
        ValueError: If something is not an array, or the number of examples differs or is 0.
    """
    columns = _columns(x)
    sizes = {len(column) for column in leaves(columns)}
    if len(sizes) != 1 or 0 in sizes:
        raise ValueError(f"Expected the same positive number of examples, got {sizes}.")
    return columns, sizes.pop()


def _columns(x: Any) -> Any:
    if isinstance(x, dict):
        return {key: _columns(item) for key, item in x.items()}
    if isinstance(x, tuple) or (isinstance(x, list) and _holds_arrays(x)):
        return [_columns(item) for item in x]
    return _column(x)


def _holds_arrays(items: list[Any]) -> bool:
    """Whether a list is several inputs, not the rows of one input."""
    return any(
        isinstance(item, tuple | dict)
        or (hasattr(item, "__array__") and not isinstance(item, np.generic))
        or (isinstance(item, list) and _holds_arrays(item))
        for item in items
    )


def _column(x: Any) -> Any:
    """Convert one input to an array whose first axis counts the examples."""
    try:
        array = np.asarray(x)
    except ValueError as error:
        raise ValueError(f"An input is not an array: {error}") from error
    if array.ndim == 0:
        raise ValueError(
            f"Expected an array whose first axis counts the examples, got {type(x).__name__}."
        )
    return array


def elements_of(columns: Any) -> int:
    """Return the number of elements in the inputs of one example."""
    return sum(column.size // len(column) for column in leaves(columns))


def rows_of(columns: Any, chunk: slice) -> Any:
    """Select examples of every array."""
    return map_leaves(lambda column: column[chunk], columns)
