"""Runs that a process left RUNNING when it died."""

from collections.abc import Sequence

from pipeline.tracking.owner import is_alive
from pipeline.tracking.results import members, search_runs
from pipeline.tracking.run import ERROR, TrackedRun, end_run
from pipeline.tracking.store import Store


def end_lost_runs(
    store: Store, experiment_ids: Sequence[str], sweep_id: str, interrupted: bool
) -> None:
    """End the runs of a sweep that nobody is at any more.

    Args:
        store: where they are tracked.
        experiment_ids: of the experiments that they are in.
        sweep_id: of the sweep.
        interrupted: whether the sweep was; its runs are KILLED then, else FAILED.
    """
    running = f"{members(sweep_id)} AND attributes.status = 'RUNNING'"
    for found in search_runs(store, experiment_ids, running):
        if is_alive(found.data.tags):
            continue
        run = TrackedRun(store.client, found.info.run_id)
        if not interrupted:
            run.set_tags({ERROR: "its process died."})
        end_run(run, "KILLED" if interrupted else "FAILED")
