"""The error that ends a command whose failure has been told already, and how others are told."""

_LONGEST = 500


class CommandFailedError(Exception):
    """The command did its work, and some of it failed; nothing is left to say but the exit code."""

    def __init__(self, exit_code: int = 1):
        super().__init__(f"exit code {exit_code}")
        self.exit_code = exit_code


def summary(error: BaseException) -> str:
    """Kind and message of an error, short enough for a tag or a line."""
    return f"{type(error).__name__}: {error}"[:_LONGEST]
