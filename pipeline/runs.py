"""python -m pipeline.runs: list runs, best first, as a table, CSV or JSON; or delete runs."""

import json
from typing import TYPE_CHECKING

from pipeline.cli.command import Given, command
from pipeline.cli.console import print_line
from pipeline.settings import SettingsError, parse_group, parse_tracking
from pipeline.settings.schema import Listing

if TYPE_CHECKING:
    from pipeline.tracking.store import Store


# A condition contains quotes and equals signs, which Hydra's grammar would split.
@command("runs", flags=("--csv", "--json"), verbatim=("where", "sweep", "experiment", "delete"))
def main(given: Given) -> None:
    """List the runs of a store, or delete some."""
    tracking = parse_tracking(given.values.pop("tracking"))
    doomed, sure = given.values.pop("delete"), given.values.pop("sure")
    listing = parse_group(Listing, given.values)

    # Imported here, so that a faulty command is refused without loading MLflow.
    from pipeline.cli.runs_table import show_runs, write_csv
    from pipeline.tracking.run_records import experiment_names, find_runs, rank_by, record
    from pipeline.tracking.store import existing_store

    store = existing_store(**tracking.model_dump())
    if doomed is not None:
        _delete(store, str(doomed), sure)
        return
    found = find_runs(store, listing)
    if not given.flags:
        show_runs(found, rank_by(listing, found))
        return
    titles = experiment_names(store)
    records = [record(run, titles) for run in found]
    if "--json" in given.flags:
        print(json.dumps(records, indent=2, ensure_ascii=False))
    else:
        write_csv(list(dict.fromkeys(key for record in records for key in record)), records)


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


if __name__ == "__main__":
    main()
