"""The error for an invalid configuration."""

from collections.abc import Iterable

from pipeline.errors import PipelineError


class SettingsError(PipelineError, ValueError):
    """A configuration cannot be run; `faults` contains one sentence per reason."""

    def __init__(self, faults: list[str]):
        super().__init__("\n".join(faults))
        self.faults = faults


def refuse(faults: Iterable[str]) -> None:
    """Raise a `SettingsError` with each of the faults once, if there are any."""
    if found := list(dict.fromkeys(faults)):
        raise SettingsError(found)
