"""Values of a configuration, read with one sentence where they are missing or of another kind."""

from __future__ import annotations

from typing import Any

from scratch_forward.errors import ArchiveError


def field(entry: Any, key: str, path: str) -> Any:
    """Return a value of an object.

    Raises:
        ArchiveError: If it is not an object or has no such key.
    """
    if not isinstance(entry, dict) or key not in entry:
        raise ArchiveError(f"The configuration of {path or 'the model'!r} lacks {key!r}.")
    return entry[key]


def text(value: Any, key: str, path: str) -> str:
    """Return a value that is text.

    Raises:
        ArchiveError: If it is anything else.
    """
    if not isinstance(value, str):
        raise ArchiveError(f"The configuration of {path or 'the model'!r} has {key}={value!r}.")
    return value
