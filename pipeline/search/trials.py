"""Runs the trials of an Optuna study as jobs, and reports their outcome to the study."""

import math
import time
from collections.abc import Mapping
from dataclasses import dataclass

import optuna
from optuna.trial import Trial, TrialState

from pipeline.data.sharing import shared_data
from pipeline.job.brought import brought
from pipeline.job.identity import identity
from pipeline.search.metric import compared
from pipeline.search.optuna_study import ask, finished_trials
from pipeline.search.search_plan import SearchPlan
from pipeline.settings import SettingsError
from pipeline.sweep.launchers import Failure, Preference, no_preference
from pipeline.sweep.naming import run_name
from pipeline.sweep.plan import Job
from pipeline.sweep.schedule import LaunchedJob, launched_job
from pipeline.tracking import names
from pipeline.tracking.attempts import Standing, standings
from pipeline.tracking.membership import join_sweep
from pipeline.tracking.store import Store
from pipeline.training.history import Epoch

NAME, RUN, REASON = "name", "run_id", "reason"  # attributes of a trial


@dataclass(frozen=True)
class _TrialJob:
    """A trial of Optuna's, and the job that trains it."""

    trial: Trial
    job: Job
    identity: str


class Trials:
    """A `JobSource` whose jobs are chosen by an Optuna study.

    Args:
        search_id: the sweep id that groups the runs.
    """

    def __init__(self, plan: SearchPlan, study: optuna.Study, search_id: str, store: Store):
        self.plan, self.study, self.search_id, self.store = plan, study, search_id, store
        self.left = max(0, plan.search.n_trials - len(finished_trials(study)))
        self._started = time.time()
        self._running: dict[int, _TrialJob] = {}  # by job number
        self._given = 0
        self._failed_fast = False
        self._fingerprints: dict[object, dict[str, str]] = {}

    @property
    def stopped(self) -> bool:
        """False: after a failure with fail_fast, only the running trials are trained to the end."""
        return False

    def next(self, preference: Preference = no_preference) -> tuple[int, LaunchedJob] | None:
        """Return the next trial to train; one with a known outcome is reported to the study."""
        while (number := self._number()) <= self.plan.search.n_trials and not self._failed_fast:
            asked = self._ask()
            if asked is None:
                continue
            standing = self._standing(asked)
            if self._is_known(asked.job, standing):
                self._join(standing)
                self._tell(asked.trial, standing, None)
                continue
            self._running[self._given] = asked
            self._given += 1
            return self._given - 1, launched_job(asked.job, self._place(asked, number))
        return None

    def _number(self) -> int:
        """Return the number of the next trial, counted from 1."""
        return len(finished_trials(self.study)) + len(self._running) + 1

    def _ask(self) -> _TrialJob | None:
        """Return a new trial, or None (and a failed trial) if its values cannot be combined."""
        trial = ask(self.study, self.plan.search, self.plan.space)
        try:
            job = self.plan.job(trial.params)
        except SettingsError as error:
            self._fail(trial, " ".join(error.faults))
            return None
        trial.set_user_attr(NAME, self._name(job))
        return _TrialJob(trial, job, self._identity(job))

    def _identity(self, job: Job) -> str:
        return identity(job.parameters, self._data(job), brought(job.settings))

    def _data(self, job: Job) -> dict[str, str]:
        key = job.settings.data_key
        if key not in self._fingerprints:
            self._fingerprints[key] = dict(shared_data(**job.settings.data).fingerprints)
        return self._fingerprints[key]

    def _name(self, job: Job) -> str:
        return run_name(job.overrides, self.plan.probes.varied, job.parameters)

    def _place(self, asked: _TrialJob, number: int) -> dict[str, object]:
        return {
            "id": self.search_id,
            "identity": asked.identity,
            "varied": list(self.plan.probes.varied),
            "job": number,
            "jobs": self.plan.search.n_trials,
            "started": round(self._started, 3),
        }

    def _standing(self, asked: _TrialJob) -> Standing:
        experiment = asked.job.settings.place.experiment
        found = standings(self.store, experiment, [asked.identity], self.search_id)
        return found[asked.identity]

    def _is_known(self, job: Job, standing: Standing) -> bool:
        """Return whether the job is done, or was pruned in this search."""
        if job.settings.running.rerun:
            return False
        return standing.state == "done" or (standing.state == "pruned" and standing.listed)

    def _join(self, standing: Standing) -> None:
        if standing.run_id and not standing.listed:
            join_sweep(self.store, standing.run_id, self.search_id, self.plan.probes.varied)

    def epoch(self, number: int, epoch: Epoch) -> str | None:
        """Report an epoch to Optuna; return the reason to prune the trial, or None.

        A trial is not pruned at its last epoch, nor when its loss is not finite.
        """
        asked, series = self._running[number], compared(self.plan.search, epoch.measure)
        asked.trial.report(series.value_of(epoch), step=epoch.number)
        goes_on = math.isfinite(epoch.loss_train) and math.isfinite(epoch.loss_validation)
        last = asked.job.settings.training.epochs
        if goes_on and epoch.number < last and asked.trial.should_prune():
            return (
                f"{series.metric} was at no epoch as good as the median of earlier trials is at "
                "this one."
            )
        return None

    def ended(self, number: int, failure: Failure | None) -> None:
        """Report the outcome of a run to the study."""
        asked = self._running.pop(number)
        self._tell(asked.trial, self._standing(asked), failure)

    def _tell(self, trial: Trial, standing: Standing, failure: Failure | None) -> None:
        state, run_id = standing.state, standing.run_id
        if run_id is not None:
            trial.set_user_attr(RUN, run_id)
        if run_id and state == "done":
            self._tell_value(trial, self.store.client.get_run(run_id).data.metrics)
        elif run_id and state == "pruned":
            tags = self.store.client.get_run(run_id).data.tags
            trial.set_user_attr(REASON, tags[names.PRUNED])
            self.study.tell(trial, state=TrialState.PRUNED)
        else:
            self._fail(trial, failure.error if failure else f"its run is {state}.")

    def _tell_value(self, trial: Trial, metrics: Mapping[str, float]) -> None:
        metric = self.plan.search.metric
        value = metrics.get(metric, math.nan)
        if math.isfinite(value):
            self.study.tell(trial, value)
        else:
            self._fail(trial, f"{metric} is {value}.")

    def _fail(self, trial: Trial, reason: str) -> None:
        self._failed_fast = self.plan.probes.jobs[0].settings.running.fail_fast
        trial.set_user_attr(REASON, reason)
        self.study.tell(trial, state=TrialState.FAIL)
