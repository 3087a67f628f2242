"""Limits on the text of a configuration, checked before it is parsed."""

from __future__ import annotations

import re

from scratch_forward.errors import ArchiveError
from scratch_forward.io.limits import Limits

# Matches a bracket or a string; an unterminated string extends to the end of the text. The pattern
# starts with a single character class, which `re` searches quickly, and its quantifiers are
# possessive, so matching takes linear time.
_TOKEN = re.compile(rb'["\[\]{}](?:(?<=")[^"\\]*+(?:\\.[^"\\]*+)*+"?)?+', re.DOTALL)
_LARGEST_INITIALIZER = 1000  # strings and objects in one initializer; numbers are not counted
_INITIALIZER = re.compile(rb'"[a-z_]*+(?<=_initializer)"\s*+:\s*+(?=\{)')
_STEPS = {b"[": 1, b"{": 1, b"]": -1, b"}": -1}


def without_initializers(text: bytes, limits: Limits) -> bytes:
    """Return the text with every initializer replaced by null, since weights come from the file.

    An `Embedding` initialized from a table of GloVe vectors stores the table here as text, which
    takes tens of megabytes.

    Raises:
        ArchiveError: If the remaining text exceeds the limit.
    """
    kept, end = [], 0
    if len(text) > limits.config_bytes // 8:  # smaller ones are parsed quickly
        for match in _INITIALIZER.finditer(text):
            if match.start() >= end:
                kept += [text[end : match.end()], b"null"]
                end = _end_of_object(text, match.end())
    kept.append(text[end:])
    left = b"".join(kept)
    if len(left) > limits.config_bytes:
        raise ArchiveError(
            f"The configuration has {len(left):,} bytes without initializers; the limit is "
            f"{limits.config_bytes:,} (raise it by Limits(config_bytes={len(left)}))."
        )
    return left


def _end_of_object(text: bytes, start: int) -> int:
    """Return the offset at which the object at `start` ends; `bytes.find` skips its numbers."""
    depth, at = 0, start
    places = dict.fromkeys((b'"', b"{", b"}"), -1)
    for _ in range(_LARGEST_INITIALIZER):
        for mark, place in places.items():
            if 0 <= place < at or place == -1:
                place = text.find(mark, at)
                places[mark] = len(text) if place < 0 else place
        mark = min(places, key=lambda one: places[one])
        if places[mark] == len(text):
            return len(text)
        if mark == b'"':
            string = _TOKEN.match(text, places[mark])
            at = string.end() if string else len(text)
            continue
        depth += _STEPS[mark]
        at = places[mark] + 1
        if not depth:
            return at
    raise ArchiveError("The configuration has an initializer that is none of Keras's.")


def check_nesting(text: bytes, limits: Limits) -> None:
    """Check the nesting depth and the number of lists and objects.

    Raises:
        ArchiveError: If either exceeds its limit.
    """
    count = text.count(b"[") + text.count(b"{")
    if count > limits.config_objects:
        raise ArchiveError(
            f"'config.json' holds about {count:,} lists and objects; the limit is "
            f"{limits.config_objects:,} (raise it by Limits(config_objects={count}))."
        )
    depth = deepest = 0
    for match in _TOKEN.finditer(text):
        depth += _STEPS.get(match.group(), 0)
        if depth > deepest:
            deepest = depth
            if deepest > limits.config_depth:
                raise ArchiveError(
                    f"'config.json' nests more than {limits.config_depth} deep, which is the limit "
                    "(raise it by Limits(config_depth=...))."
                )
