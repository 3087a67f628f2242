"""Access to required fields of a configuration, with an error for a missing or invalid value."""

from __future__ import annotations

from typing import Any

from scratch_forward.errors import ArchiveError


def field(entry: Any, key: str, path: str) -> Any:
    """Return the value of a key in an object.

    Raises:
        ArchiveError: If `entry` is not an object or does not have the key.
    """
    if not isinstance(entry, dict) or key not in entry:
        raise ArchiveError(f"The configuration of {path or 'the model'!r} lacks {key!r}.")
    return entry[key]


def text(value: Any, key: str, path: str) -> str:
    """Return `value` if it is a string.

    Raises:
        ArchiveError: If it is not a string.
    """
    if not isinstance(value, str):
        raise ArchiveError(f"The configuration of {path or 'the model'!r} has {key}={value!r}.")
    return value
