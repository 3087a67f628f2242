"""Layers that several models share, identified by `shared_object_id`."""

from __future__ import annotations

from collections import defaultdict
from typing import Any

from scratch_forward.errors import ArchiveError
from scratch_forward.layers.base import Layer
from scratch_forward.layers.core import InputLayer


class SharedLayers:
    """Finds the layer that an entry shares with an earlier entry.

    Keras writes the id of a shared layer from its second occurrence on. If the first occurrence is
    inside a nested model, its id is missing. An id that appears for the first time therefore
    belongs to the earlier entry with the same class and configuration that has no id.
    """

    def __init__(self) -> None:
        self._by_id: dict[int, Layer | None] = {}
        self._without_id: defaultdict[tuple[str, str], list[tuple[Any, Layer]]] = defaultdict(list)

    def find(self, entry: dict[str, Any]) -> tuple[bool, Layer | None]:
        """Return whether the layer of an entry is already known, and the layer.

        Raises:
            ArchiveError: If several earlier layers match.
        """
        identity = entry.get("shared_object_id")
        if not isinstance(identity, int):
            return False, None
        if identity not in self._by_id:
            alike = self._alike(entry)
            if len(alike) > 1:
                raise ArchiveError(
                    f"Layer {_name(entry)!r} is shared, but several layers before it are alike, "
                    "and the file does not say which: give them different names, and save again."
                )
            if not alike:
                return False, None
            self._by_id[identity] = alike[0]
        return True, self._by_id[identity]

    def keep(self, entry: dict[str, Any], layer: Layer | None) -> None:
        """Store the layer of an entry."""
        identity = entry.get("shared_object_id")
        if isinstance(identity, int):
            self._by_id[identity] = layer
        elif layer is not None and not isinstance(layer, InputLayer):
            self._without_id[_key(entry)].append((entry, layer))

    def _alike(self, entry: dict[str, Any]) -> list[Layer]:
        """Return earlier layers without an id that have the same class and configuration."""
        return [
            layer
            for other, layer in self._without_id[_key(entry)]
            if _same(other["config"], entry["config"])
        ]


def _key(entry: dict[str, Any]) -> tuple[str, str]:
    return str(entry["class_name"]), str(_name(entry))


def _name(entry: dict[str, Any]) -> Any:
    return entry["config"].get("name")


def _same(one: Any, other: Any) -> bool:
    """Whether two values are equal, ignoring the ids in them."""
    if isinstance(one, dict) and isinstance(other, dict):
        keys = (one.keys() | other.keys()) - {"shared_object_id"}
        return all(key in one and key in other and _same(one[key], other[key]) for key in keys)
    if isinstance(one, list) and isinstance(other, list):
        return len(one) == len(other) and all(map(_same, one, other))
    return bool(one == other)
