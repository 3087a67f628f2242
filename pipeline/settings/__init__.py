"""Typed settings of a run: schema, parsing, and one sentence per fault."""

import pipeline.settings.mlflow_environment  # noqa: F401  # a resolver for `conf/`
from pipeline.settings.parse import (
    flat_parameters,
    parse_dataset,
    parse_group,
    parse_run_choice,
    parse_runs_choice,
    parse_settings,
    parse_stored,
    parse_tracking,
    unknown_option,
)
from pipeline.settings.schema import Settings
from pipeline.settings.settings_error import SettingsError, refuse

__all__ = [
    "Settings",
    "SettingsError",
    "flat_parameters",
    "parse_dataset",
    "parse_group",
    "parse_run_choice",
    "parse_runs_choice",
    "parse_settings",
    "parse_stored",
    "parse_tracking",
    "refuse",
    "unknown_option",
]
