"""The error of a configuration that cannot be run."""


class SettingsError(ValueError):
    """A configuration that cannot be run; `faults` holds one sentence for each reason."""

    def __init__(self, faults: list[str]):
        super().__init__("\n".join(faults))
        self.faults = faults
