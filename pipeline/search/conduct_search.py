"""Conducts a search: space, data, what is tried already, store, trials, closing table."""

from collections.abc import Mapping, Sequence
from contextlib import nullcontext
from typing import TYPE_CHECKING

import optuna
from optuna.distributions import distribution_to_json
from optuna.trial import TrialState

from pipeline.cli.console import console
from pipeline.cli.search_summary import show_best, show_search, show_trials_left, show_tried
from pipeline.errors import CommandFailedError
from pipeline.search.optuna_study import (
    ask_again_for_interrupted,
    find_study,
    finished_trials,
    open_study,
    shown,
    storage_url,
)
from pipeline.search.search_plan import SearchPlan
from pipeline.sweep.conduct import command, experiments_of, telling_how_to_resume
from pipeline.sweep.launchers import HydraJobs, Launching
from pipeline.sweep.model_check import check_own_models
from pipeline.sweep.naming import sweep_name
from pipeline.sweep.schedule import Schedule, schedule_sweep
from pipeline.tracking import names
from pipeline.tracking.attempts import PASSED
from pipeline.tracking.store import Store, join_store, look_up_store

if TYPE_CHECKING:
    from pipeline.search.search_results import Tried
    from pipeline.search.trials import Trials
    from pipeline.tracking.tracked_run import TrackedRun


def conduct_search(plan: SearchPlan, launching: Launching) -> None:
    """Go on with a checked search until it has all its trials, and close with a table.

    Args:
        plan: the search.
        launching: runs its trials.

    Raises:
        DatasetError: when data cannot be had; no run was created.
        StoreError: when a store cannot be used; no run was created.
        CommandFailedError: at the end, when a trial failed or lacks parity.
        KeyboardInterrupt: when it was interrupted, after the table.
    """
    running = plan.probes.jobs[0].settings.running
    with (
        nullcontext() if running.dry_run else launching.started(running.workers),
        telling_how_to_resume(),
    ):
        _conduct(plan, launching)


def _conduct(plan: SearchPlan, launching: Launching) -> None:
    job = plan.probes.jobs[0]
    tracking = job.settings.tracking.model_dump()
    located, url = look_up_store(**tracking), storage_url(plan.search.storage)
    schedule = schedule_sweep(plan.probes, located)
    search_id = _search_id(plan, schedule)
    earlier = find_study(url, search_id)
    done = finished_trials(earlier) if earlier else []
    places = (f"{located.uri} (sweep {search_id})", f"{shown(url)} (study {search_id})")
    show_search(plan, done, schedule.data, places, prunes=not isinstance(launching, HydraJobs))
    check_own_models(entry.job.settings for entry in schedule.entries)
    if job.settings.running.dry_run:
        return
    store = join_store(**tracking)
    if _is_unproven(_search(plan, search_id, url, store, launching)):
        raise CommandFailedError(1)


def _search_id(plan: SearchPlan, schedule: Schedule) -> str:
    """Names a search, its study and its sweep alike by what is searched, and for what.

    How it is searched (sampler, pruner, number of trials) may change from command to command.
    """
    experiments = {job.settings.place.experiment for job in plan.probes.jobs}
    space = {f"{one.key} {distribution_to_json(one.distribution)}" for one in plan.space}
    aim = f"{plan.search.direction} {plan.search.metric}"
    return sweep_name([entry.identity for entry in schedule.entries], {aim, *experiments, *space})


def _search(
    plan: SearchPlan, search_id: str, url: str, store: Store, launching: Launching
) -> "list[Tried]":
    """Do what is left, alone: a second command for the same search waits and finds it done."""
    from pipeline.search.trials import Trials
    from pipeline.tracking.claims import claim
    from pipeline.tracking.sweep_run import log_plan, sweep_run

    job = plan.probes.jobs[0]
    experiment = store.experiment(job.settings.place.experiment)
    tags = {names.SEARCH: plan.search.metric}
    with (
        claim(store, search_id, _tell_waiting) as store,
        sweep_run(store, experiment.experiment_id, search_id, plan.title, tags) as run,
    ):
        study = open_study(url, search_id, plan.search)
        ask_again_for_interrupted(study)
        trials = Trials(plan, study, search_id, store)
        interrupted = _train(trials, launching, store, job.settings.running.workers)
        tried = _close(plan, search_id, study, store, run, interrupted)
        log_plan(run, command(), plan.probes.varied, _parameters(plan, tried))
        if interrupted:
            raise KeyboardInterrupt
        if _is_unproven(tried):
            run.fail("Trials failed or lack parity.")
    return tried


def _tell_waiting() -> None:
    console.print("The same search is going on in another process; waiting for it.")


def _train(trials: "Trials", launching: Launching, store: Store, workers: int) -> bool:
    """Whether it was interrupted."""
    if not trials.left:
        return False
    try:
        launching.search(trials, store, workers)
    except KeyboardInterrupt:
        return True
    return False


def _close(
    plan: SearchPlan,
    search_id: str,
    study: optuna.Study,
    store: Store,
    run: "TrackedRun",
    interrupted: bool,
) -> "list[Tried]":
    from pipeline.cli.results_table import show_links
    from pipeline.search.search_results import log_search, tried
    from pipeline.tracking.links import ViewedSweep, save_sweep_view
    from pipeline.tracking.lost_runs import end_lost_runs
    from pipeline.tracking.queries import sweep_results

    experiments = experiments_of(plan.probes, store)
    ids = [one.experiment_id for one in experiments]
    end_lost_runs(store, ids, search_id, interrupted)
    results = sweep_results(store, experiments, search_id, plan.probes.varied, plan.criterion)
    found = tried(study, plan.search, results)
    log_search(run, study, plan.search, plan.space, found)
    show_tried(found, plan)
    show_best(found, plan)
    show_trials_left(plan.search.n_trials - len(found), command())
    view = ViewedSweep(search_id, plan.title, plan.probes.varied_parameters, plan.criterion)
    show_links(save_sweep_view(store, ids[0], view))
    return found


def _parameters(plan: SearchPlan, tried: "Sequence[Tried]") -> list[Mapping[str, str]]:
    whole = [one for one in tried if one.state is TrialState.COMPLETE]
    return [plan.job(one.params).parameters for one in whole]


def _is_unproven(tried: "Sequence[Tried]") -> bool:
    """Whether any trial failed or lacks parity, or none is complete."""
    complete = [one for one in tried if one.state is TrialState.COMPLETE]
    proven = [one for one in complete if one.run and one.run.parity in PASSED]
    failed = any(one.state is TrialState.FAIL for one in tried)
    return failed or not complete or len(proven) < len(complete)
