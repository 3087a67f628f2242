"""Values that a configuration stores as objects: tensor references, arrays, slices."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np

from scratch_forward.errors import ArchiveError
from scratch_forward.io.config_fields import field, text

_ARRAY_TYPES = {
    **{name: name for name in ("bool", "float32", "float64", "int8", "int16", "int32", "int64")},
    **{name: name for name in ("uint8", "uint16", "uint32", "uint64")},
    **dict.fromkeys(("float16", "bfloat16"), "float32"),
}


@dataclass(frozen=True)
class Reference:
    """A tensor in a graph: output number `output` of call number `call` of layer `layer`."""

    layer: str
    call: int
    output: int

    @classmethod
    def read(cls, history: Any, path: str) -> Reference:
        """Parse `[layer, call, output]`.

        Raises:
            ArchiveError: If `history` has any other form.
        """
        if not isinstance(history, list) or len(history) < 3:
            raise ArchiveError(f"Model {path!r} refers to a tensor as {history!r}.")
        name, call, output = history[:3]
        if not isinstance(call, int) or not isinstance(output, int) or min(call, output) < 0:
            raise ArchiveError(f"Model {path!r} refers to a tensor as {history!r}.")
        return cls(text(name, "layer", path), call, output)


class UnknownConstant:
    """Placeholder for a value of a kind that is not supported."""

    def __init__(self, kind: Any) -> None:
        self.kind = kind


def decoded(value: Any, path: str) -> Any:
    """Decode a call argument: references, arrays and slices in it become objects.

    Raises:
        ArchiveError: If an object in it is malformed.
    """
    if isinstance(value, list):
        return [decoded(item, path) for item in value]
    if not isinstance(value, dict):
        return value
    kind = value.get("class_name")
    if kind is None or "config" not in value:
        return {key: decoded(item, path) for key, item in value.items()}
    config = value["config"]
    if kind == "__keras_tensor__":
        return Reference.read(field(config, "keras_history", path), path)
    if kind in ("__numpy__", "__tensor__"):
        return array_of(config, path)
    if kind == "__slice__":
        return slice(
            *(decoded(field(config, end, path), path) for end in ("start", "stop", "step"))
        )
    return Ellipsis if kind == "__ellipsis__" else UnknownConstant(kind)


def array_of(config: Any, path: str) -> Any:
    """Return the array that a configuration stores as nested lists.

    Raises:
        ArchiveError: If the lists do not form an array, or the dtype is not supported.
    """
    name = field(config, "dtype", path)
    if not isinstance(name, str) or name not in _ARRAY_TYPES:
        raise ArchiveError(f"Model {path!r} holds an array of data type {name!r}.")
    try:
        return np.array(field(config, "value", path), _ARRAY_TYPES[name])
    except (ValueError, TypeError, OverflowError) as error:
        raise ArchiveError(f"Model {path!r} holds an array that is none: {error}") from error
