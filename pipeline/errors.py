"""The errors that end a command, and how an error is summarised. Importing them costs nothing."""

_LONGEST = 500


class CommandFailedError(Exception):
    """The command did its work and some of it failed; only the exit code is left to give."""

    def __init__(self, exit_code: int = 1):
        super().__init__(f"exit code {exit_code}")
        self.exit_code = exit_code


class DatasetError(Exception):
    """A data set cannot be used; one sentence says what is wrong, where, and what is allowed."""


class StoreError(Exception):
    """The tracking store cannot be used; one sentence says why."""


class StoreAwayError(StoreError):
    """The tracking store answered once and has failed for a minute since."""


class ClaimLostError(StoreError):
    """Another process has taken over the job of this one."""

    def __init__(self) -> None:
        super().__init__(
            "This process was silent for so long that another one has taken over its job; it "
            "writes nothing more."
        )


class CutShortError(OSError):
    """The store returned other bytes than were sent to it."""


class PrunedError(Exception):
    """A search stopped a job early; the message gives the reason."""


def summary(error: BaseException) -> str:
    """Type and message of an error, at most 500 characters."""
    return f"{type(error).__name__}: {error}"[:_LONGEST]
