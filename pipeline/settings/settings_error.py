"""The error for an invalid configuration."""

from pipeline.errors import PipelineError


class SettingsError(PipelineError, ValueError):
    """A configuration cannot be run; `faults` contains one sentence per reason."""

    def __init__(self, faults: list[str]):
        super().__init__("\n".join(faults))
        self.faults = faults
