"""The errors that end a command, and the wording that their messages share."""

from collections.abc import Iterable
from difflib import get_close_matches

_LONGEST = 500


class PipelineError(Exception):
    """Something asked for cannot be done; the message gives each reason in one sentence."""


class CommandFailedError(Exception):
    """The command did its work and some of it failed; only the exit code is left to set."""

    def __init__(self, exit_code: int = 1):
        super().__init__(f"exit code {exit_code}")
        self.exit_code = exit_code


class DatasetError(PipelineError):
    """A data set cannot be used; the message says in one sentence what is wrong and allowed."""


class StoreError(PipelineError):
    """The tracking store cannot be used; the message says why in one sentence."""


class StoreAwayError(StoreError):
    """The tracking store has answered before, but has failed for a minute."""


class ClusterLostError(PipelineError):
    """The nodes of a cluster have been lost that could take the jobs that are left."""


class ClaimLostError(StoreError):
    """Another process has taken over this process's job."""

    def __init__(self) -> None:
        super().__init__(
            "This process was silent for so long that another one has taken over its job; it "
            "writes nothing more."
        )


class CutShortError(OSError):
    """The store returned other bytes than it was sent."""


class PrunedError(Exception):
    """A search stopped a job early; the message gives the reason."""


def summary(error: BaseException) -> str:
    """Return the type and message of an error in one line of at most 500 characters."""
    return " ".join(f"{type(error).__name__}: {error}".split())[:_LONGEST]


def first_line(error: BaseException) -> str:
    """Return the first line of an error's message, or its type if the message is empty."""
    return (str(error).splitlines() or [type(error).__name__])[0]


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
