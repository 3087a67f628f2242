"""Typed settings of a run: schema, parsing, and every fault in one sentence."""

from pipeline.settings.parse import (
    SettingsError,
    flat_parameters,
    parse_search,
    parse_settings,
    parse_stored,
    parse_tracking,
    unknown_option,
)
from pipeline.settings.schema import Settings

__all__ = [
    "Settings",
    "SettingsError",
    "flat_parameters",
    "parse_search",
    "parse_settings",
    "parse_stored",
    "parse_tracking",
    "unknown_option",
]
