"""Wording for suggestions and for lists of allowed values."""

from collections.abc import Iterable
from difflib import get_close_matches


def did_you_mean(word: str, known: Iterable[str]) -> str:
    """Return a question that names the closest known word; "" if none is close.

    >>> did_you_mean("unit", ["units", "layers"])
    ' (did you mean `units`?)'
    """
    names = {name.lower(): name for name in known}
    close = get_close_matches(word.lower(), names, n=1, cutoff=0.6)
    return f" (did you mean `{names[close[0]]}`?)" if close else ""


def choices(known: Iterable[str]) -> str:
    """Join words for a sentence: "a, b or c"."""
    words = sorted(known)
    return words[0] if len(words) == 1 else f"{', '.join(words[:-1])} or {words[-1]}"


def not_offered(key: str, value: str, offered: Iterable[str]) -> str:
    """Return the sentence for a value that is not offered.

    >>> not_offered("optimizer", "sdg", ["adam", "sgd"])
    'optimizer=sdg must be adam or sgd (did you mean `sgd`?).'
    """
    names = list(offered)
    return f"{key}={value} must be {choices(names)}{did_you_mean(value, names)}."
