"""The errors that end a command, and how an error is summarised. Imports nothing."""

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
