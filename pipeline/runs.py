"""python -m pipeline.runs: list runs, best first, as a table, CSV or JSON; or delete runs."""

import json
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any

from pipeline.cli.command import Given, command
from pipeline.cli.console import print_line
from pipeline.cli.runs_table import write_csv
from pipeline.settings import SettingsError, parse_listing, parse_tracking
from pipeline.settings.schema import Listing
from pipeline.tracking import names
from pipeline.tracking.ranking import Criterion, criterion

if TYPE_CHECKING:
    from mlflow.entities import Run

    from pipeline.tracking.store import Store

_REPEATED = ("mlflow.runName", names.DESCRIPTION)  # tags that repeat other fields


# A condition contains quotes and equals signs, which Hydra's grammar would split.
@command("runs", flags=("--csv", "--json"), verbatim=("where", "sweep", "experiment", "delete"))
def main(given: Given) -> None:
    """List the runs of a store, or delete some."""
    tracking = parse_tracking(given.values.pop("tracking"))
    doomed, sure = given.values.pop("delete"), given.values.pop("sure")
    listing = parse_listing(given.values)

    # Imported here, so that a faulty command is refused without loading MLflow.
    from pipeline.cli.runs_table import show_runs
    from pipeline.tracking.store import existing_store

    store = existing_store(**tracking.model_dump())
    if doomed is not None:
        _delete(store, str(doomed), sure)
        return
    found = _found(store, listing)
    if "--json" in given.flags:
        print(json.dumps(_records(store, found), indent=2, ensure_ascii=False))
    elif "--csv" in given.flags:
        records = _records(store, found)
        write_csv(list(dict.fromkeys(key for record in records for key in record)), records)
    else:
        show_runs(found, _criterion(listing, found))


def _delete(store: "Store", doomed: str, sure: object) -> None:
    """Show what would be deleted; delete it only with confirmation."""
    from pipeline.tracking.deletion import delete, plan_deletion

    if sure not in (True, False):
        raise SettingsError([f"sure={sure} must be true or false."])
    deletion = plan_deletion(store, doomed)
    for run in deletion.runs:
        print_line(f"{run.info.run_id}  {run.info.status}  {run.info.run_name}")
    for run in deletion.kept:
        print_line(f"{run.info.run_id}  stays: another sweep uses it  {run.info.run_name}")
    if not sure:
        print_line(f"Nothing has been deleted. To delete {len(deletion.runs)}, add sure=true.")
        return
    delete(store, deletion)
    print_line(f"{len(deletion.runs)} deleted, with their artifacts.")


def _found(store: "Store", listing: Listing) -> "list[Run]":
    from mlflow.exceptions import MlflowException

    from pipeline.tracking.queries import job_runs, members
    from pipeline.tracking.run_choice import choose_sweep
    from pipeline.tracking.run_condition import read_condition
    from pipeline.tracking.run_order import in_order

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
    by = _criterion(listing, found)
    ranked = by.best_first(found, lambda run: run.data.metrics.get(by.metric))
    return ranked[: listing.limit]


def _criterion(listing: Listing, found: "list[Run]") -> Criterion:
    """Return what runs are ranked by: by default, the primary score of the newest one's task."""
    tasks = [run.data.tags.get(names.TASK, "multiclass") for run in found]
    return criterion(listing.select_by, tasks)


def _records(store: "Store", found: "list[Run]") -> list[dict[str, Any]]:
    titles = {one.experiment_id: one.name for one in store.client.search_experiments()}
    return [_record(run, titles.get(run.info.experiment_id)) for run in found]


def _record(run: "Run", experiment: str | None) -> dict[str, Any]:
    """Return a run as one flat row; prefixes keep parameters and tags apart."""
    params = {f"params.{key}": value for key, value in run.data.params.items()}
    metrics = {f"metrics.{key}": value for key, value in run.data.metrics.items()}
    tags = {f"tags.{key}": value for key, value in run.data.tags.items() if key not in _REPEATED}
    info = run.info
    named = {"run_id": info.run_id, "name": info.run_name, "status": info.status}
    named["experiment"] = experiment
    times = {"started": _time(info.start_time), "ended": _time(info.end_time)}
    return {**named, **times, **params, **metrics, **tags}


def _time(milliseconds: int | None) -> str | None:
    """Format a time in UTC, `2026-11-23T09:48:15+00:00`; None stays None."""
    if milliseconds is None:
        return None
    return datetime.fromtimestamp(milliseconds / 1000, UTC).isoformat(timespec="seconds")


if __name__ == "__main__":
    main()
