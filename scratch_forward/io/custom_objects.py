"""Layers and functions that the caller supplies for classes that are not part of Keras."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from scratch_forward.layers.base import Layer


class CustomObjects:
    """Looks up the custom object for a configuration entry.

    Args:
        objects: Maps a class name, a registered name (`"package>Class"`) or the name of a `Lambda`
            layer to a subclass of `Layer`, which receives the layer's configuration, or to a
            function on arrays.

    Raises:
        TypeError: If a value is neither a subclass of `Layer` nor callable.
    """

    def __init__(self, objects: Mapping[str, Any]) -> None:
        for name, item in objects.items():
            is_class = isinstance(item, type)
            if not callable(item) or (is_class and not issubclass(item, Layer)):
                raise TypeError(
                    f"custom_objects[{name!r}] is expected to be a subclass of "
                    f"scratch_forward.Layer or a function on arrays, got {item!r}."
                )
        self._objects = objects

    def find(self, entry: dict[str, Any]) -> Any:
        """Return the class or function for an entry, or None if there is none."""
        if not self._objects:
            return None
        names = [entry.get("registered_name"), entry.get("class_name")]
        if entry.get("class_name") == "Lambda":
            names.append(entry["config"].get("name"))
        known = [name for name in names if isinstance(name, str) and name in self._objects]
        return self._objects[known[0]] if known else None
