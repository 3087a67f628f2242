"""Reading and writing of a preprocessing's fields as JSON."""

from __future__ import annotations

import json
import math
from collections.abc import Mapping
from dataclasses import fields
from typing import Any

from scratch_forward.errors import PreprocessingError

WIDEST = 100_000  # largest size of an axis of a stored preprocessing
MOST_AXES = 8


def described(preprocessing: Any) -> dict[str, Any]:
    """Return the kind and all fields of a preprocessing as plain values."""
    own = {
        field.name: _plain(getattr(preprocessing, field.name)) for field in fields(preprocessing)
    }
    return {"kind": preprocessing.kind, **own}


def _plain(value: Any) -> Any:
    if isinstance(value, Mapping):
        return {name: described(part) for name, part in value.items()}
    return list(value) if isinstance(value, tuple) else value


def to_json(preprocessing: Any) -> str:
    """Return a preprocessing as JSON text."""
    return json.dumps(described(preprocessing), ensure_ascii=False, indent=1) + "\n"


def document_of(text: str) -> dict[str, Any]:
    """Parse JSON text that must be an object.

    Raises:
        PreprocessingError: If it is something else.
    """
    try:
        document = json.loads(text)
    except (ValueError, RecursionError) as error:
        raise PreprocessingError(f"A stored preprocessing is not JSON: {error}.") from error
    if not isinstance(document, dict):
        raise PreprocessingError(
            "A stored preprocessing is a JSON object with a kind, got another value."
        )
    return document


def stored_fields(text: str, kind: Any) -> dict[str, Any]:
    """Parse a stored preprocessing of one class.

    Raises:
        PreprocessingError: If it is of another kind or lacks a field.
    """
    document = document_of(text)
    if document.get("kind") != kind.kind:
        raise PreprocessingError(
            f"Expected a preprocessing of {kind.kind}, got {document.get('kind')!r}."
        )
    missing = [name for name in (f.name for f in fields(kind)) if name not in document]
    if missing:
        raise PreprocessingError(f"A stored preprocessing lacks {', '.join(missing)}.")
    return document


def whole_number(value: Any, name: str, most: int) -> int:
    """Return a stored whole number from 1 to `most`."""
    if type(value) is not int or not 1 <= value <= most:
        raise PreprocessingError(
            f"{name} holds {value!r}: expected a whole number from 1 to {most:,}."
        )
    return value


def shape_of(value: Any) -> tuple[int, ...]:
    """Return a stored shape of one example."""
    if not isinstance(value, list) or len(value) > MOST_AXES:
        raise PreprocessingError(
            f"input_shape={value!r}: expected a list of at most {MOST_AXES} sizes."
        )
    return tuple(whole_number(size, "input_shape", WIDEST) for size in value)


def numbers_of(stored: dict[str, Any], name: str, least: float = -math.inf) -> tuple[float, ...]:
    """Return a stored list of finite numbers above `least`."""
    values = stored[name]
    if not isinstance(values, list) or not all(
        type(value) in (int, float) and math.isfinite(value) and value > least for value in values
    ):
        raise PreprocessingError(f"{name} is not a list of finite numbers above {least:g}.")
    return tuple(map(float, values))


def text_of(value: Any, name: str) -> str:
    """Return a stored text."""
    if not isinstance(value, str):
        raise PreprocessingError(f"{name} holds {value!r}: expected text.")
    return value


def words_of(stored: dict[str, Any], name: str) -> tuple[str, ...]:
    """Return a stored list of texts, after checking that it has no duplicates."""
    words = stored[name]
    if not isinstance(words, list):
        raise PreprocessingError(f"{name} is not a list.")
    if len(set(words := [text_of(word, name) for word in words])) < len(words):
        raise PreprocessingError(f"{name} holds something twice.")
    return tuple(words)


def class_names(stored: dict[str, Any]) -> tuple[str, ...]:
    """Return the stored class names, at least one."""
    if not (names := words_of(stored, "classes")):
        raise PreprocessingError("classes is empty.")
    return names
