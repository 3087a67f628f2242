"""Runs that a process left RUNNING when it died."""

from collections.abc import Sequence
from pathlib import Path

from pipeline.tracking import names
from pipeline.tracking.heartbeats import is_alive
from pipeline.tracking.queries import members, search_runs
from pipeline.tracking.store import Store
from pipeline.tracking.tracked_run import TrackedRun, end_run


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
        if interrupted:
            end_lost_run(store, found.info.run_id, "KILLED")
        else:
            end_lost_run(store, found.info.run_id, "FAILED", "its process died.")


def end_lost_run(
    store: Store, run_id: str, status: str, told: str | None = None, log: Path | None = None
) -> None:
    """End a run in the place of its process.

    Args:
        store: where it is tracked.
        run_id: the run's.
        status: KILLED or FAILED.
        told: the reason, kept with the run.
        log: a file with what its process printed, kept with it too.
    """
    run = TrackedRun(store.client, run_id)
    if told is not None:
        run.set_tags({names.ERROR: told})
    end_run(run, status, log)
