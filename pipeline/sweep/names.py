"""Names that tell runs and sweeps apart at a glance."""

import secrets
from collections.abc import Sequence
from datetime import datetime


def run_name(overrides: Sequence[str], varied: Sequence[str], model: str) -> str:
    """Name a run by what differs: the varied keys in a sweep, else all that was set by hand.

    >>> run_name(["model=lstm", "units=64"], ["units"], "lstm")
    'units=64'
    >>> run_name(["model=lstm", "units=64"], [], "lstm")
    'model=lstm units=64'
    """
    telling = [line for line in overrides if not varied or line.split("=")[0] in varied]
    return " ".join(telling) or f"model={model}"


def new_sweep_id() -> str:
    """An identifier that sorts by time and is never given twice: `20261123-094815-3fa2`."""
    return f"{datetime.now():%Y%m%d-%H%M%S}-{secrets.token_hex(2)}"
