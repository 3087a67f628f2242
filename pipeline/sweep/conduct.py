"""Conducts a sweep: plan, data, what is done already, store, jobs, closing table."""

import shlex
import sys
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from typing import TYPE_CHECKING

from pipeline.cli.command_line import typed_program
from pipeline.cli.console import print_faults
from pipeline.cli.plan_summary import show_plan
from pipeline.errors import CommandFailedError, StoreAwayError, StoreError
from pipeline.reports.study.definition import parse_study
from pipeline.settings import SettingsError
from pipeline.settings.conf_folder import CONF
from pipeline.settings.masking import masked
from pipeline.sweep.launchers import Failure, Launching
from pipeline.sweep.model_check import check_own_models
from pipeline.sweep.naming import naming_keys, run_name
from pipeline.sweep.plan import Plan
from pipeline.sweep.schedule import Entry, Schedule, launched_jobs, schedule_sweep
from pipeline.tracking import names
from pipeline.tracking.attempts import PASSED
from pipeline.tracking.store import Store, join_store, look_up_store

if TYPE_CHECKING:
    from mlflow.entities import Experiment

    from pipeline.tracking.queries import Result
    from pipeline.tracking.tracked_run import TrackedRun


def conduct(plan: Plan, launching: Callable[[], Launching]) -> None:
    """Do what is left to do of a checked plan and close with a table; or, dry, only tell what.

    Args:
        plan: the jobs.
        launching: gives what runs those that are not done.

    Raises:
        SettingsError: when the study's question, words or claim cannot be used.
        DatasetError: when data cannot be had; no run was created.
        StoreError: when the store cannot be used; no run was created.
        CommandFailedError: at the end, when a run failed or lacks parity.
        KeyboardInterrupt: when it was interrupted, after the table.
    """
    if plan.study is not None:
        parse_study(plan.jobs[0].values.get("study"), plan.study)  # a fault is told before training
    running = plan.jobs[0].settings.running
    if running.dry_run:
        _schedule(plan)
        return
    launcher = launching()
    with launcher.started(running.workers), telling_how_to_resume():
        _conduct(plan, launcher)


@contextmanager
def telling_how_to_resume() -> Iterator[None]:
    """A block whose runs are left as they are when the store goes away for long."""
    try:
        yield
    except StoreAwayError as error:
        raise StoreAwayError(f"{error} To resume, run the same command: {command()}") from error


def _schedule(plan: Plan) -> Schedule:
    place = look_up_store(**plan.jobs[0].settings.tracking.model_dump())
    schedule = schedule_sweep(plan, place)
    show_plan(plan, schedule, place.uri)
    check_own_models(entry.job.settings for entry in schedule.to_train)
    return schedule


def _conduct(plan: Plan, launching: Launching) -> None:
    schedule = _schedule(plan)
    store = join_store(**plan.jobs[0].settings.tracking.model_dump())
    _check_writable(schedule, store)
    with _own_run(plan, schedule, store) as own:
        _claim_members(plan, schedule, store)
        failures, interrupted = _train(plan, schedule, store, launching)
        results = _close(plan, schedule, store, failures, interrupted)
        if interrupted:
            raise KeyboardInterrupt
        unproven = _unproven(schedule, results)
        if own is not None and unproven:
            own.fail(f"{unproven} of {len(schedule.entries)} jobs failed or lack parity.")
    if plan.study is not None and not store.read_only:
        _report(plan, schedule, store)
    if unproven:
        raise CommandFailedError(1)


def _check_writable(schedule: Schedule, store: Store) -> None:
    """Refuse to train where nothing can be stored; a sweep that is done is shown."""
    if store.read_only and (left := len(schedule.to_train)):
        raise StoreError(f"{store.folder} cannot be written to, and {left} jobs are not done.")


def _unproven(schedule: Schedule, results: "Sequence[Result]") -> int:
    """How many jobs have no finished run that passed its check."""
    proven = [one for one in results if one.status == "FINISHED" and one.parity in PASSED]
    return len(schedule.entries) - len(proven)


@contextmanager
def _own_run(plan: Plan, schedule: Schedule, store: Store) -> "Iterator[TrackedRun | None]":
    """For the length of a sweep of several jobs, a run of its own; it keeps plan and report.

    None for a single job, in a read-only store, and where another command runs the same sweep: the
    run is that one's.
    """
    if store.read_only or (plan.study is None and len(schedule.entries) == 1):
        yield None
        return
    from pipeline.tracking.claims import claim_if_free
    from pipeline.tracking.sweep_run import log_plan, sweep_run

    tags = {names.STUDY: plan.study} if plan.study else {}
    jobs = [entry.job.parameters for entry in schedule.entries]
    study = plan.jobs[0].values.get("study")
    select_by = plan.jobs[0].settings.running.select_by
    with claim_if_free(store, f"sweep-{schedule.sweep_id}") as own:
        if own is None:
            yield None
            return
        experiment = own.experiment(plan.jobs[0].settings.place.experiment)
        with sweep_run(own, experiment.experiment_id, schedule.sweep_id, plan.title, tags) as run:
            log_plan(run, command(), plan.varied, jobs, study, select_by)
            yield run


def _claim_members(plan: Plan, schedule: Schedule, store: Store) -> None:
    """Finished runs of other sweeps belong to this one too; those to be done anew no longer."""
    from pipeline.tracking.membership import join_sweep

    tag = names.sweep_tag(schedule.sweep_id)
    for entry in schedule.done:
        if entry.standing.run_id and not entry.standing.listed:
            keys = naming_keys(entry.job.overrides, plan.varied)
            join_sweep(store, entry.standing.run_id, schedule.sweep_id, keys)
    for entry in schedule.superseded:
        if entry.standing.run_id:
            store.client.delete_tag(entry.standing.run_id, tag)


def _train(
    plan: Plan, schedule: Schedule, store: Store, launching: Launching
) -> tuple[list[Failure], bool]:
    """Launch what is to be trained; also tells whether that was interrupted."""
    shown = [_name(entry, plan.varied) for entry in schedule.to_train]
    jobs = list(launched_jobs(schedule, shown, plan.varied, time.time()))
    if not jobs:
        return [], False
    try:
        failures = launching.run(jobs, store, schedule.running.fail_fast)
    except KeyboardInterrupt:
        return [], True
    if away := [failure.error for failure in failures if failure.store_away]:
        raise StoreAwayError(away[0])
    return failures, False


def _name(entry: Entry, varied: Sequence[str]) -> str:
    return run_name(entry.job.overrides, varied, entry.job.parameters)


def _close(
    plan: Plan,
    schedule: Schedule,
    store: Store,
    failures: Sequence[Failure],
    interrupted: bool,
) -> "list[Result]":
    from pipeline.cli.results_table import show_links, show_results, show_way_on
    from pipeline.tracking.links import ViewedSweep, save_sweep_view
    from pipeline.tracking.lost_runs import end_lost_runs
    from pipeline.tracking.queries import sweep_results

    experiments = experiments_of(plan, store)
    ids = [one.experiment_id for one in experiments]
    end_lost_runs(store, ids, schedule.sweep_id, interrupted)
    results = sweep_results(store, experiments, schedule.sweep_id, plan.varied, plan.criterion)
    show_results(results, {entry.standing.run_id for entry in schedule.done}, plan.criterion)
    _tell_lost_jobs(failures, results)
    show_way_on(command(), schedule, results)
    view = ViewedSweep(schedule.sweep_id, plan.title, plan.varied_parameters, plan.criterion)
    show_links(save_sweep_view(store, ids[0], view))
    return results


def experiments_of(plan: Plan, store: Store) -> "list[Experiment]":
    """The experiments that the jobs of a plan are tracked in."""
    names = dict.fromkeys(job.settings.place.experiment for job in plan.jobs)
    return [store.experiment(name) for name in names]


def _tell_lost_jobs(failures: Sequence[Failure], results: "Sequence[Result]") -> None:
    """Show the traceback of each job that failed before it had a run to keep it."""
    told = {result.error for result in results}
    for failure in failures:
        if failure.error not in told:
            print_faults([f"{failure.job}: {failure.error}", *filter(None, [failure.trace])])


def _report(plan: Plan, schedule: Schedule, store: Store) -> None:
    """Write a study's report; where that cannot be done, the runs themselves are still good."""
    from pipeline.cli.report_summary import show_report
    from pipeline.reports.study.gathering import gather_sweep
    from pipeline.reports.study.write_report import write_report

    try:
        gathered = gather_sweep(store, CONF, schedule.sweep_id)
        page, run_id = write_report(store, gathered, plan.jobs[0].settings.place.data_dir)
    except (StoreError, SettingsError) as error:
        print_faults([f"no report: {sentence}" for sentence in str(error).splitlines()])
    else:
        show_report(page, store, gathered.experiment_id, run_id, None)


def command() -> str:
    """What was typed, without passwords."""
    return masked(shlex.join([*typed_program("train"), *sys.argv[1:]]))
