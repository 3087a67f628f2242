"""`pipeline.runs`: the runs of a store as a table."""

from typing import TYPE_CHECKING, Any

from pipeline.api.settings_of import settings_of
from pipeline.settings import parse_group, parse_tracking
from pipeline.settings.schema import Listing

if TYPE_CHECKING:
    import pandas as pd


def runs(
    *,
    experiment: str | None = None,
    sweep: str | None = None,
    where: str | None = None,
    select_by: str | None = None,
    sort: str | None = None,
    limit: int | None = None,
    complete: bool = False,
    tracking: str | None = None,
) -> "pd.DataFrame":
    """List runs, best first.

    >>> pipeline.runs(experiment="reviews", where="params.units >= 64")  # doctest: +SKIP

    Args:
        experiment: name of an experiment; None for all.
        sweep: id of a sweep, or `latest`; None for all.
        where: a condition in MLflow's syntax.
        select_by: the validation score that runs are ranked by.
        sort: a metric, a parameter, `started`, `ended`, `name` or `status` to sort by instead;
            `-started` is in descending order.
        limit: number of runs to list.
        complete: whether to return all that is known of each run, with MLflow's names:
            `params.units`, `metrics.test/f1_macro`, `tags.parity`.
        tracking: address of an MLflow server; None for `MLFLOW_TRACKING_URI`, or the store of the
            working directory.

    Returns:
        The table that `pipeline.train` returns, or the complete one.

    Raises:
        PipelineError: when an argument cannot be used, or there is no store.
    """
    given: dict[str, Any] = {"experiment": experiment, "sweep": sweep, "where": where}
    given |= {"select_by": select_by, "sort": sort, "limit": limit}
    values = settings_of("runs", tracking, given)
    chosen = parse_tracking(values.pop("tracking"))
    listing = parse_group(Listing, {key: values[key] for key in given})

    import pandas as pd

    from pipeline.api.runs_frame import runs_frame
    from pipeline.tracking.run_records import experiment_names, find_runs, record
    from pipeline.tracking.store import existing_store

    store = existing_store(**chosen.model_dump())
    found, titles = find_runs(store, listing), experiment_names(store)
    if complete:
        return pd.DataFrame([record(run, titles) for run in found])
    return runs_frame(found, titles)
