"""Conducts a sweep: plan, data, store, jobs, closing table."""

import time
import traceback
from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING

from hydra.core.utils import JobReturn, JobStatus

from pipeline.errors import CommandFailedError, summary
from pipeline.sweep.names import new_sweep_id
from pipeline.sweep.plan import Plan

if TYPE_CHECKING:
    from pipeline.tracking.results import Result
    from pipeline.tracking.store import Store

Launch = Callable[[list[list[str]]], Sequence[JobReturn]]


def conduct(plan: Plan, launch: Launch) -> None:
    """Run every job of a checked plan and close with a table.

    Args:
        plan: the jobs.
        launch: runs jobs, given the overrides of each, and returns when all have ended; a job's
            failure does not stop the others.

    Raises:
        DatasetError: when data cannot be had; no run was created.
        StoreError: when the store cannot be used; no run was created.
        CommandFailedError: at the end, when a run failed, was interrupted or lacks parity.
    """
    # Here rather than above, so that a faulty command is answered without loading MLflow.
    from pipeline.terminal.plan import show_plan
    from pipeline.tracking.store import open_store
    from pipeline.verification import PASSED

    data = _prepare_data(plan)
    store = open_store(**plan.jobs[0].settings.tracking.model_dump())
    sweep_id = new_sweep_id()
    show_plan(plan, data, f"{store.uri} (sweep {sweep_id})")
    returned = _launch(plan, launch, sweep_id)
    results = _close(plan, store, sweep_id)
    if returned is None:
        raise CommandFailedError(130)
    _tell_lost_jobs(returned, results)
    proven = [one for one in results if one.status == "FINISHED" and one.parity in PASSED]
    if len(proven) < len(plan.jobs):
        raise CommandFailedError(1)


def _prepare_data(plan: Plan) -> list[str]:
    """Load (or download) each data set once, so that a missing one is told before any run."""
    from pipeline.data_loading import shared_data

    return list(dict.fromkeys(shared_data(job.settings).describe() for job in plan.jobs))


def _launch(plan: Plan, launch: Launch, sweep_id: str) -> Sequence[JobReturn] | None:
    """What the launcher gives for each job; None when the sweep was interrupted."""
    started = time.time()
    varied = ",".join(plan.varied)
    jobs = [
        [
            *job.overrides,
            f"sweep.id='{sweep_id}'",
            f"sweep.varied=[{varied}]",
            f"sweep.job={number}",
            f"sweep.jobs={len(plan.jobs)}",
            f"sweep.started={started:.3f}",
        ]
        for number, job in enumerate(plan.jobs, start=1)
    ]
    try:
        return launch(jobs)
    except KeyboardInterrupt:
        return None


def _tell_lost_jobs(returned: Sequence[JobReturn], results: "Sequence[Result]") -> None:
    """Show the traceback of each job that failed before it had a run to keep it."""
    told = {result.error for result in results}
    for job in returned:
        error = job._return_value
        if job.status is JobStatus.FAILED and summary(error) not in told:
            traceback.print_exception(error)


def _close(plan: Plan, store: "Store", sweep_id: str) -> "list[Result]":
    from pipeline.terminal.results import show_links, show_results
    from pipeline.tracking.links import save_sweep_view
    from pipeline.tracking.results import sweep_results

    experiments = [
        store.experiment(name).experiment_id
        for name in dict.fromkeys(job.settings.place.experiment for job in plan.jobs)
    ]
    results = sweep_results(store, experiments, sweep_id)
    show_results(results)
    show_links(save_sweep_view(store, experiments[0], sweep_id, plan.varied))
    return results
