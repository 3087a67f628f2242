"""Ends runs whose process has died and left them RUNNING."""

from collections.abc import Sequence
from pathlib import Path

from pipeline.tracking import names
from pipeline.tracking.heartbeats import is_alive
from pipeline.tracking.queries import members
from pipeline.tracking.store import Store
from pipeline.tracking.tracked_run import TrackedRun, end_run


def end_lost_runs(
    store: Store, experiment_ids: Sequence[str], sweep_id: str, interrupted: bool
) -> None:
    """End the runs of a sweep whose process has died.

    Args:
        interrupted: whether the sweep was interrupted; its runs become KILLED, otherwise FAILED.
    """
    running = f"{members(sweep_id)} AND attributes.status = 'RUNNING'"
    for found in store.search_runs(experiment_ids, running):
        if is_alive(found.data.tags):
            continue
        if interrupted:
            end_lost_run(store, found.info.run_id, "KILLED")
        else:
            end_lost_run(store, found.info.run_id, "FAILED", "its process died.")


def end_lost_run(
    store: Store, run_id: str, status: str, told: str | None = None, log: Path | None = None
) -> None:
    """End a run on behalf of its process.

    Args:
        status: KILLED or FAILED.
        told: the reason, stored with the run.
        log: a file with the output of its process, stored with the run.
    """
    run = TrackedRun(store.client, run_id)
    if told is not None:
        run.set_tags({names.ERROR: told})
    end_run(run, status, log)
