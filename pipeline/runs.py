"""python -m pipeline.runs: list runs, best first, as a table, CSV or JSON."""

import csv
import json
import sys
from datetime import UTC, datetime
from typing import Any

from pipeline.cli.command import Given, command
from pipeline.settings import SettingsError, parse_tracking


# A condition holds quotes and equals signs, which Hydra's grammar would take apart.
@command("runs", flags=("--csv", "--json"), verbatim=("where",))
def main(given: Given) -> None:
    """Read runs from the store and print them."""
    values = given.values
    where = values["where"]
    tracking = parse_tracking(values["tracking"])

    # Here rather than above, so that a faulty command is answered without loading MLflow.
    from mlflow.exceptions import MlflowException

    from pipeline.cli.runs_table import show_runs
    from pipeline.tracking.queries import listed_runs
    from pipeline.tracking.store import open_store

    store = open_store(**tracking.model_dump())
    try:
        found = listed_runs(store, values["experiment"], where)
    except MlflowException as error:
        raise SettingsError([f"where={where} is refused: {error.message}"]) from error
    if "--json" in given.flags:
        print(json.dumps([_record(run) for run in found], indent=2, ensure_ascii=False))
    elif "--csv" in given.flags:
        _write_csv([_record(run) for run in found])
    else:
        show_runs(found)


def _record(run: Any) -> dict[str, Any]:
    """Everything known of a run in one flat row; parameters and tags keep their names apart."""
    params = {f"params.{key}": value for key, value in run.data.params.items()}
    metrics = {f"metrics.{key}": value for key, value in run.data.metrics.items()}
    tags = {
        f"tags.{key}": value
        for key, value in run.data.tags.items()
        if not key.startswith("mlflow.")
    }
    info = run.info
    named = {"run_id": info.run_id, "name": info.run_name, "status": info.status}
    times = {"started": _time(info.start_time), "ended": _time(info.end_time)}
    return {**named, **times, **params, **metrics, **tags}


def _time(milliseconds: int | None) -> str | None:
    """A moment in UTC, `2026-11-23T09:48:15+00:00`; None for one that has not come."""
    if milliseconds is None:
        return None
    return datetime.fromtimestamp(milliseconds / 1000, UTC).isoformat(timespec="seconds")


def _write_csv(records: list[dict[str, Any]]) -> None:
    columns = dict.fromkeys(key for record in records for key in record)
    table = csv.DictWriter(sys.stdout, list(columns), lineterminator="\n")
    table.writeheader()
    table.writerows(records)


if __name__ == "__main__":
    main()
