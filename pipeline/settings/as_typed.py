"""Values of settings as typed on the command line: `true`, `off`, `null`, `[16,32]`."""

import ast
from collections.abc import Mapping

from pipeline.settings.schema import SWITCHES

_EARLIER = {
    "schedule": "constant",
    "schedule.warmup_epochs": "0",
    "clipnorm": "null",
    "class_weight": "null",
    "initial_weights": "null",
    "loss": "null",
    "metrics": "[]",
    "callbacks": "[]",
    "parity": "required",
}
"""What versions did that did not log these settings."""
_OFF = ("false", "null", "off")  # accepted spellings of a disabled option


def as_typed(value: object) -> str:
    """Format a value as on the command line.

    >>> as_typed(True), as_typed(None), as_typed([16, 32])
    ('true', 'null', '[16,32]')
    """
    if value is None:
        return "null"
    if isinstance(value, bool):
        return str(value).lower()
    if isinstance(value, list | tuple):
        return "[" + ",".join(as_typed(item) for item in value) + "]"
    if isinstance(value, Mapping):
        return (
            "{" + ",".join(f"{as_typed(key)}:{as_typed(item)}" for key, item in value.items()) + "}"
        )
    return str(value)


def parameter(key: str, value: object) -> str:
    """Format a parameter's value; a disabled option is `off`, even if YAML read it as false.

    >>> parameter("early_stopping", False), parameter("mask", False)
    ('off', 'false')
    """
    typed = as_typed(value)
    return "off" if key in SWITCHES and typed in _OFF else typed


def label(value: object) -> str:
    """Format a value of a configuration, or of a parameter logged by any version.

    Earlier versions logged values as Python prints them.

    >>> label("True"), label([16, 32]), label("[16, 32]"), label(None), label("['no', 'yes']")
    ('true', '[16,32]', '[16,32]', 'null', '[no,yes]')
    """
    if not isinstance(value, str):
        return as_typed(value)
    if value in ("True", "False", "None"):
        return as_typed(ast.literal_eval(value))
    if value.startswith(("[", "(")):
        try:
            return as_typed(ast.literal_eval(value))
        except (ValueError, SyntaxError):  # already as typed: [no,yes]
            return value.replace(", ", ",")
    return value


def as_number(value: str | float) -> float | None:
    """Return the number that a value is or spells; None for other text."""
    try:
        return float(value)
    except ValueError:
        return None


def logged_parameters(params: Mapping[str, str]) -> dict[str, str]:
    """Return a run's parameters as typed, whichever version logged them."""
    typed = {key: parameter(key, label(value)) for key, value in params.items()}
    earlier = _EARLIER if "optimizer" in typed else {}  # not all runs are of this program
    return {**typed, **{key: value for key, value in earlier.items() if key not in typed}}
