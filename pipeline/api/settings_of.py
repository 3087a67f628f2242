"""The settings of a command, for a call from Python that does the same."""

from collections.abc import Mapping
from typing import Any

from pipeline.cli.command_line import compose_values
from pipeline.cli.credentials import take_credentials


def settings_of(
    command: str, tracking: str | None, given: Mapping[str, Any], words: tuple[str, ...] = ()
) -> dict[str, Any]:
    """Return the settings of a command as plain values.

    Args:
        command: the command's file in `conf/`.
        tracking: address of an MLflow server; None for the command's default.
        given: settings by name; None for the command's default.
        words: further settings, as on the command line.

    Raises:
        SettingsError: when the words cannot be used.
    """
    address = [] if tracking is None else ["tracking=server", f"tracking.uri={tracking}"]
    values = compose_values(command, take_credentials([*address, *words]))
    return values | {key: value for key, value in given.items() if value is not None}
