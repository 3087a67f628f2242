"""Finds runs by a listing's settings, and returns each as one flat record."""

from collections.abc import Mapping, Sequence
from datetime import UTC, datetime
from typing import Any

from mlflow.entities import Run
from mlflow.exceptions import MlflowException

from pipeline.settings import SettingsError
from pipeline.settings.schema import Listing
from pipeline.tracking import names
from pipeline.tracking.queries import job_runs, members
from pipeline.tracking.ranking import Criterion, criterion
from pipeline.tracking.run_choice import choose_sweep
from pipeline.tracking.run_condition import read_condition
from pipeline.tracking.run_order import in_order
from pipeline.tracking.store import Store

_REPEATED = ("mlflow.runName", names.DESCRIPTION)  # tags that repeat other fields


def find_runs(store: Store, listing: Listing) -> list[Run]:
    """Return the runs of jobs that a listing selects, in its order.

    Raises:
        SettingsError: when its condition or its order cannot be used.
        StoreError: when its experiment or sweep does not exist.
    """
    condition = read_condition(listing.where)
    of_sweep = members(choose_sweep(store, listing.sweep)) if listing.sweep else ""
    query = " AND ".join(filter(None, [condition.query, of_sweep]))
    try:
        found = job_runs(store, listing.experiment, query)
    except MlflowException as error:
        raise SettingsError([f"where={listing.where} is refused: {error.message}"]) from error
    found = [run for run in found if condition.holds(run.data.params)]
    if listing.sort is not None:
        return in_order(found, listing.sort)[: listing.limit]
    by = rank_by(listing, found)
    ranked = by.best_first(found, lambda run: run.data.metrics.get(by.metric))
    return ranked[: listing.limit]


def rank_by(listing: Listing, found: Sequence[Run]) -> Criterion:
    """Return what runs are ranked by: by default, the primary score of the newest one's task."""
    return criterion(listing.select_by, [names.task_of(run.data.tags) for run in found])


def experiment_names(store: Store) -> dict[str, str]:
    """Return the names of a store's experiments by id."""
    return {one.experiment_id: one.name for one in store.client.search_experiments()}


def record(run: Run, experiments: Mapping[str, str]) -> dict[str, Any]:
    """Return a run as one flat row; prefixes keep parameters, metrics and tags apart."""
    params = {f"params.{key}": value for key, value in run.data.params.items()}
    metrics = {f"metrics.{key}": value for key, value in run.data.metrics.items()}
    tags = {f"tags.{key}": value for key, value in run.data.tags.items() if key not in _REPEATED}
    info = run.info
    named = {"run_id": info.run_id, "name": info.run_name, "status": info.status}
    named["experiment"] = experiments.get(info.experiment_id)
    times = {"started": _time(info.start_time), "ended": _time(info.end_time)}
    return {**named, **times, **params, **metrics, **tags}


def _time(milliseconds: int | None) -> str | None:
    """Format a time in UTC, `2026-11-23T09:48:15+00:00`; None stays None."""
    if milliseconds is None:
        return None
    return datetime.fromtimestamp(milliseconds / 1000, UTC).isoformat(timespec="seconds")
