"""Conducts a sweep: plan, data, store, jobs, closing table."""

import shlex
import sys
import time
import traceback
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from typing import TYPE_CHECKING

from hydra.core.utils import JobReturn, JobStatus

from pipeline.configuration import CONF
from pipeline.errors import CommandFailedError, summary
from pipeline.settings import SettingsError
from pipeline.sweep.names import new_sweep_id
from pipeline.sweep.plan import Plan
from pipeline.terminal.console import print_faults
from pipeline.tracking.errors import StoreError

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
    try:
        with _own_run(plan, store, sweep_id):
            returned = _launch(plan, launch, sweep_id)
            results = _close(plan, store, sweep_id)
            if returned is None:
                raise KeyboardInterrupt
    except KeyboardInterrupt:
        raise CommandFailedError(130) from None
    _tell_lost_jobs(returned, results)
    if plan.study is not None:
        _report(plan, store, sweep_id)
    proven = [one for one in results if one.status == "FINISHED" and one.parity in PASSED]
    if len(proven) < len(plan.jobs):
        raise CommandFailedError(1)


def _prepare_data(plan: Plan) -> list[str]:
    """Load (or download) each data set once, so that a missing one is told before any run."""
    from pipeline.data_loading import shared_data

    return list(dict.fromkeys(shared_data(job.settings).describe() for job in plan.jobs))


@contextmanager
def _own_run(plan: Plan, store: "Store", sweep_id: str) -> Iterator[None]:
    """For the length of a study's sweep, a run of its own that keeps the plan and the report."""
    if plan.study is None:
        yield
        return
    from pipeline.tracking.sweep_run import STUDY, log_plan, sweep_run

    experiment = store.experiment(plan.jobs[0].settings.place.experiment)
    with sweep_run(store, experiment.experiment_id, sweep_id, {STUDY: plan.study}) as run:
        command = shlex.join(["python", "-m", "pipeline.train", *sys.argv[1:]])
        log_plan(run, command, plan.varied, [job.parameters for job in plan.jobs])
        yield


def _report(plan: Plan, store: "Store", sweep_id: str) -> None:
    """Write a study's report; where that cannot be done, the runs themselves are still good."""
    from pipeline.study.gathering import gather_sweep
    from pipeline.study.writing import write_report
    from pipeline.terminal.report import show_report

    try:
        gathered = gather_sweep(store, CONF, sweep_id)
        page, run_id = write_report(store, gathered, plan.jobs[0].settings.place.data_dir)
    except (StoreError, SettingsError) as error:
        print_faults([f"no report: {sentence}" for sentence in str(error).splitlines()])
    else:
        show_report(page, store, gathered.experiment_id, run_id, None)


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
