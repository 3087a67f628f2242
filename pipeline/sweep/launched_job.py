"""Runs one job in the process that a launcher started."""

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from pipeline.errors import PrunedError
from pipeline.job.run import run
from pipeline.job.watch import Watch
from pipeline.settings import flat_parameters, parse_settings
from pipeline.sweep.launchers import Failure
from pipeline.sweep.naming import naming_keys, run_name
from pipeline.tracking.store import join_store


def run_job(
    values: Mapping[str, Any], overrides: Sequence[str], watch: Watch, log: Path | None = None
) -> str:
    """Train, track and check the job that a configuration describes.

    Args:
        log: the file that receives this process's output, stored with the run.

    Returns:
        The parity tag, which says how the check ended.

    Raises:
        Exception: any error of the job, which is also recorded in the run.
    """
    settings = parse_settings(values)
    name = run_name(overrides, settings.sweep.varied, flat_parameters(values))
    keys = naming_keys(overrides, settings.sweep.varied)
    store = join_store(**settings.tracking.model_dump())
    return run(settings, values, overrides, name, keys, store, watch=watch, log=log)


def outcome_of_job(
    values: Mapping[str, Any], overrides: Sequence[str], watch: Watch, log: Path
) -> Failure | None:
    """Run a job, see `run_job`.

    Returns:
        The failure, without the name of the job; None if it finished or was pruned.
    """
    try:
        run_job(values, overrides, watch, log)
    except PrunedError:
        return None
    except KeyboardInterrupt:
        return Failure("", "interrupted", "")
    except Exception as error:
        return Failure.of("", error)
    return None
