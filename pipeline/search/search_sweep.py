"""A search: an Optuna study chooses the trials and stores their outcome."""

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import replace
from typing import TYPE_CHECKING

import optuna
from optuna.distributions import distribution_to_json
from optuna.trial import TrialState

from pipeline.cli.console import console
from pipeline.cli.search_summary import show_best, show_search, show_trials, show_trials_left
from pipeline.search.optuna_study import (
    ask_again_for_interrupted,
    find_study,
    finished_trials,
    open_study,
    shown,
    storage_url,
)
from pipeline.search.search_plan import SearchPlan
from pipeline.sweep.conduct import ConductedSweep, command
from pipeline.sweep.launchers import JobLauncher
from pipeline.sweep.naming import sweep_name
from pipeline.sweep.schedule import Schedule, ScheduledJob, schedule_sweep
from pipeline.tracking import names
from pipeline.tracking.attempts import ACCEPTED
from pipeline.tracking.ranking import Criterion
from pipeline.tracking.store import Store

if TYPE_CHECKING:
    from pipeline.search.search_results import TrialResult
    from pipeline.tracking.queries import RunResult


class SearchSweep(ConductedSweep):
    """The trials of a search, as one sweep.

    Args:
        prunes: whether the launcher can end a trial early.
    """

    _study: optuna.Study  # while the sweep is open

    def __init__(self, searched: SearchPlan, prunes: bool):
        super().__init__(searched.probes, searched.title)
        self.searched, self._prunes = searched, prunes
        self._storage = storage_url(searched.search.storage)

    @property
    def jobs(self) -> int:
        """The number of trials."""
        return self.searched.search.n_trials

    @property
    def criterion(self) -> Criterion:
        """What the trials are ranked by."""
        return self.searched.criterion(self.schedule.tasks)

    @property
    def listed(self) -> tuple[ScheduledJob, ...]:
        """None: the sampler chooses the trials as it goes."""
        return ()

    def look_up(self, place: Store) -> Schedule:
        """Look up the probes and the trials of earlier commands, and show the search."""
        probed = schedule_sweep(self.plan, place)
        self.searched = self.searched.settled(probed.tasks)
        search_id = _search_id(self.searched, probed)
        earlier = find_study(self._storage, search_id)
        done = finished_trials(earlier) if earlier else []
        stored = f"{shown(self._storage)} (study {search_id})"
        places = (f"{place.uri} (sweep {search_id})", stored)
        show_search(self.searched, done, probed.data, places, self._prunes)
        return replace(probed, sweep_id=search_id)

    @contextmanager
    def opened(self, store: Store) -> Iterator[None]:
        """Hold the study alone: a second process for the same search waits and finds it done."""
        from pipeline.tracking.claims import claim
        from pipeline.tracking.sweep_run import sweep_run

        search_id, search = self.schedule.sweep_id, self.searched.search
        experiment = store.experiment(self.plan.experiments[0]).experiment_id
        tags = {names.SEARCH: search.metric}
        with (
            claim(store, search_id, _show_waiting) as self.store,
            sweep_run(self.store, experiment, search_id, self.title, tags) as self.run,
        ):
            self._study = open_study(self._storage, search_id, search)
            ask_again_for_interrupted(self._study)
            yield

    def train(self, launcher: JobLauncher) -> None:
        """Run trials until there are as many as asked for; the study keeps their failures."""
        from pipeline.search.trials import Trials

        trials = Trials(self.searched, self._study, self.schedule.sweep_id, self.store)
        if trials.left:
            launcher.search(trials, self.store)

    def conclude(self, results: "Sequence[RunResult]") -> str:
        """Show a row per trial, and log trials, figures and plan to the search's own run."""
        from pipeline.search.search_results import log_search, trial_results
        from pipeline.tracking.sweep_run import log_plan

        assert self.run is not None
        search = self.searched.search
        trials = trial_results(self._study, search, results)
        log_search(self.run, self._study, search, self.searched.space, trials)
        show_trials(trials, self.searched, self.criterion)
        show_best(trials, self.searched)
        show_trials_left(search.n_trials - len(trials), command())
        complete = [one.params for one in trials if one.state is TrialState.COMPLETE]
        parameters = [self.searched.job(params).parameters for params in complete]
        log_plan(self.run, command(), self.plan.varied, parameters)
        return "" if _is_good(trials) else "Trials failed or lack parity."


def _search_id(plan: SearchPlan, probed: Schedule) -> str:
    """Return the name of the search, its study and its sweep: a hash of space, goal and experiment.

    How it is searched (sampler, pruner, number of trials) may change from command to command.
    """
    space = {f"{one.key} {distribution_to_json(one.distribution)}" for one in plan.space}
    aim = f"{plan.search.direction} {plan.search.metric}"
    identities = [scheduled.identity for scheduled in probed.jobs]
    return sweep_name(identities, {aim, *plan.probes.experiments, *space})


def _show_waiting() -> None:
    console.print("The same search is going on in another process; waiting for it.")


def _is_good(trials: "Sequence[TrialResult]") -> bool:
    """Return whether there are complete trials, none failed, and none lacks a required parity."""
    complete = [one for one in trials if one.state is TrialState.COMPLETE]
    good = all(one.run and one.run.parity in ACCEPTED for one in complete)
    failed = any(one.state is TrialState.FAIL for one in trials)
    return bool(complete) and good and not failed
