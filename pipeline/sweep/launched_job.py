"""One job, in whatever process a launcher has put it."""

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from pipeline.job.run import run
from pipeline.job.watch import Watch
from pipeline.settings import flat_parameters, parse_settings
from pipeline.sweep.naming import naming_keys, run_name
from pipeline.tracking.store import join_store


def run_job(
    values: Mapping[str, Any], overrides: Sequence[str], watch: Watch, log: Path | None = None
) -> str:
    """Train, track and check what a configuration describes.

    Args:
        values: the configuration, as plain values.
        overrides: what was set by hand in it.
        watch: is told of every epoch.
        log: the file that this process's output goes to, to be kept with the run.

    Returns:
        The tag that says how the check ended.

    Raises:
        Exception: whatever went wrong; it is recorded in the run.
    """
    settings = parse_settings(values)
    name = run_name(overrides, settings.sweep.varied, flat_parameters(values))
    keys = naming_keys(overrides, settings.sweep.varied)
    store = join_store(**settings.tracking.model_dump())
    return run(settings, values, overrides, name, keys, store, watch=watch, log=log)
