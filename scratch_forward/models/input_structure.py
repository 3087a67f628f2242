"""Matching of the arrays given to a model with the structure of its inputs, as in Keras."""

from __future__ import annotations

from typing import Any

import numpy as np

from scratch_forward.nested_arrays import leaves
from scratch_forward.symbolic import SymbolicTensor, tensors_in


def matched(structure: Any, values: Any, model: str) -> list[Any]:
    """Return one value per input of a model, in the order of its tensors.

    Args:
        structure: The inputs of the model: a tensor, or lists and dicts of tensors.
        values: Arrays in the same structure. For a list of inputs, a dict keyed by the names of
            the `Input`s is also accepted. A flat list of arrays is accepted if the order is
            unambiguous.
        model: Name of the model, used in error messages.

    Raises:
        ValueError: If values are missing, superfluous or ambiguous.
    """
    found = _matched(structure, values)
    if found is None:
        raise ValueError(
            f"Model {model!r} takes inputs {_expected(structure)}, got {_described(values)}."
        )
    return found


def _matched(structure: Any, values: Any) -> list[Any] | None:
    """Match as `matched` does, but return None if the values do not fit."""
    if isinstance(structure, SymbolicTensor):
        return _of_one(structure, values)
    if isinstance(structure, dict):
        if isinstance(values, dict):
            same = structure.keys() == values.keys()
            return (
                _joined((structure[key], values[key]) for key in sorted(structure))
                if same
                else None
            )
        return _in_order(structure, values) if list(structure) == sorted(structure) else None
    if isinstance(values, dict):
        return _by_name(structure, values)
    if isinstance(values, list | tuple) and len(values) == len(structure):
        found = _joined(zip(structure, values, strict=True))
        if found is not None:
            return found
    return _in_order(structure, values)


def _of_one(tensor: SymbolicTensor, values: Any) -> list[Any] | None:
    """Match a single input with an array, a list of one array, or a dict keyed by its name."""
    if isinstance(values, dict):
        return _by_name([tensor], values)
    if isinstance(values, list | tuple):
        return _of_one(tensor, values[0]) if len(values) == 1 else None
    return [values]


def _by_name(structure: Any, values: dict[str, Any]) -> list[Any] | None:
    """Match a list of inputs with a dict keyed by the names of the `Input`s."""
    if not all(isinstance(tensor, SymbolicTensor) for tensor in structure):
        return None
    names = [tensor.node.layer.name for tensor in structure]
    return [values[name] for name in names] if set(names) == values.keys() else None


def _in_order(structure: Any, values: Any) -> list[Any] | None:
    """Match the inputs with an array, or with a flat list of arrays, in order."""
    flat = list(values) if isinstance(values, list | tuple) else [values]
    plain = not any(isinstance(item, list | tuple | dict) for item in flat)
    return flat if plain and len(flat) == len(list(tensors_in(structure))) else None


def _joined(pairs: Any) -> list[Any] | None:
    """Match pairs of structures and values. Returns None if one of them does not fit."""
    found: list[Any] = []
    for structure, values in pairs:
        part = _matched(structure, values)
        if part is None:
            return None
        found += part
    return found


def _expected(structure: Any) -> str:
    """Describe the inputs of a model by name and shape."""
    if isinstance(structure, SymbolicTensor):
        return f"{structure.node.layer.name!r} {structure.shape}"
    if isinstance(structure, dict):
        items = (
            f"{key!r}: {structure[key].shape}"
            if isinstance(structure[key], SymbolicTensor)
            else f"{key!r}: {_expected(structure[key])}"
            for key in structure
        )
        return f"{{{', '.join(items)}}}"
    return f"[{', '.join(map(_expected, structure))}]"


def _described(values: Any) -> str:
    """Describe the given values by their shapes."""
    if isinstance(values, dict):
        return f"{{{', '.join(f'{key!r}: {_described(item)}' for key, item in values.items())}}}"
    if isinstance(values, list | tuple):
        if len(list(leaves(values))) > 20:
            return f"a list of {len(values)}"
        return f"[{', '.join(map(_described, values))}]"
    return str(np.shape(values)) if hasattr(values, "shape") else repr(values)[:40]
