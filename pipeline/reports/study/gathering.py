"""Collects the runs of a report: those of a study, a sweep or an experiment."""

import json
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from mlflow.entities import Run

from pipeline.errors import StoreError, did_you_mean
from pipeline.reports.study.definition import Study, load_study, parse_study, study_names
from pipeline.reports.study.reading import damaged, read_config, read_run, read_text
from pipeline.reports.study.study_run import StudyRun
from pipeline.reports.study.varied import differing_keys
from pipeline.settings import refuse
from pipeline.settings.as_typed import logged_parameters
from pipeline.settings.scores import SELECT_BY
from pipeline.tracking import names
from pipeline.tracking.queries import find_experiment, job_runs, members
from pipeline.tracking.store import Store
from pipeline.tracking.sweep_run import find_sweep_runs


@dataclass(frozen=True)
class Gathered:
    """The runs of a report, and what is known about them."""

    title: str  # the subject of the report, `study=lstm_units`
    key: str  # identifies the report, `20261123-094815-3fa2`
    experiment_id: str  # the experiment that stores the report
    study: Study | None  # the study, if the runs belong to one
    varied: tuple[str, ...]  # keys whose values are compared, without the seed
    runs: tuple[StudyRun, ...]  # one per set of parameters, finished or not
    superseded: tuple[StudyRun, ...] = ()  # older runs of the same parameters, which are left out
    # parameters of every job; None if no plan was stored
    planned: tuple[Mapping[str, str], ...] | None = None
    lost: int = 0  # number of jobs without a run, if no plan was stored
    command: str | None = None  # the command that made the runs
    own_run_id: str | None = None  # the sweep's own run, if there is one
    select_by: str = SELECT_BY[0]  # the validation score that selects the best setting

    @property
    def task(self) -> str:
        """The task of the finished runs; that of the first, if they differ."""
        return next((run.task for run in self.runs if run.finished), "multiclass")

    @property
    def missing(self) -> list[Mapping[str, str]]:
        """The parameters of planned jobs that have no run."""
        have = [run.params for run in self.runs]
        return [job for job in self.planned or () if job not in have]


def gather_study(store: Store, conf: Path, name: str) -> Gathered:
    """Gather the latest sweep of a study, whether its file is built in or the user's.

    Args:
        conf: a folder of configuration files, for sweeps that did not store their study.

    Raises:
        StoreError: when the study never ran in this store.
    """
    own = find_sweep_runs(store, names.STUDY, name)
    if not own:
        meant = did_you_mean(name, study_names(conf)) if name not in study_names(conf) else ""
        raise StoreError(
            f"study={name} has no sweep in {store.uri}{meant}. "
            f"python -m pipeline.train study={name} makes one."
        )
    return gather_sweep(store, conf, own[0].data.tags[names.SWEEP_ID])


def gather_sweep(store: Store, conf: Path, sweep_id: str) -> Gathered:
    """Gather one sweep by its id.

    Raises:
        StoreError: when no run belongs to it.
    """
    runs = list(store.search_runs(None, members(sweep_id)))
    own = find_sweep_runs(store, names.SWEEP_ID, sweep_id)
    if not runs and not own:
        raise StoreError(
            f"sweep={sweep_id} has no run in {store.uri}: there is none with the tag "
            f"{names.sweep_tag(sweep_id)}."
        )
    read = [read_run(store.client, run) for run in runs]
    plan = _plan(store, own[0].info.run_id) if own else {}
    if plan:
        planned = tuple(map(logged_parameters, plan["jobs"]))
        sweep = {"varied": plan["varied"], "jobs": len(planned)}
    else:
        planned = None
        sweep = read_config(store.client, runs[0].info.run_id).get("sweep", {}) if runs else {}
    newest, superseded = _newest(read)
    study = _study(own[0], plan, conf) if own else None
    return Gathered(
        title=f"study={study.name}" if study else f"sweep={sweep_id}",
        key=sweep_id,
        experiment_id=(own or runs)[0].info.experiment_id,
        study=study,
        varied=tuple(key for key in sweep.get("varied", ()) if key != "seed"),
        runs=newest,
        superseded=superseded,
        planned=planned,
        lost=0 if planned else max(0, sweep.get("jobs", 0) - len(newest)),
        command=plan.get("command"),
        own_run_id=own[0].info.run_id if own else None,
        select_by=plan.get("select_by", SELECT_BY[0]),
    )


def _study(own: Run, plan: Mapping[str, Any], conf: Path) -> Study | None:
    """Return the study that a sweep stored with its plan; for earlier versions, from its file."""
    if (name := own.data.tags.get(names.STUDY)) is None:
        return None
    if (stored := plan.get("study")) is not None:
        return parse_study(stored, name)
    return load_study(conf, name)


def gather_experiment(store: Store, name: str, varied: Sequence[str] | None) -> Gathered:
    """Gather all runs of an experiment, compared by the given keys or all that differ.

    Raises:
        StoreError: when there is no such experiment, or it has no runs.
    """
    found = find_experiment(store, name)
    read = [read_run(store.client, one) for one in job_runs(store, name, "")]
    if not read:
        raise StoreError(f"experiment={name} in {store.uri} holds no run.")
    newest, superseded = _newest(read)
    _known(varied or (), newest)
    differing = differing_keys([run.params for run in newest])
    key = f"experiment {name}"
    own = find_sweep_runs(store, names.SWEEP_ID, key)
    return Gathered(
        title=f"experiment={name}",
        key=key,
        experiment_id=found.experiment_id,
        study=None,
        varied=tuple(differing if varied is None else varied),
        runs=newest,
        superseded=superseded,
        own_run_id=own[0].info.run_id if own else None,
    )


def _known(varied: Iterable[str], runs: Sequence[StudyRun]) -> None:
    params = {key for run in runs for key in run.params}
    refuse(f"varied={key}: no run has such a parameter." for key in varied if key not in params)


def _plan(store: Store, run_id: str) -> dict[str, Any]:
    """Return the stored plan of a sweep; empty if it stored none."""
    text = read_text(store.client, run_id, names.PLAN)
    if not text:
        return {}
    try:
        plan = json.loads(text)
    except (ValueError, RecursionError) as error:
        raise damaged(run_id, names.PLAN, error) from error
    if not _is_plan(plan):
        raise damaged(run_id, names.PLAN, "it is not the plan of a sweep")
    assert isinstance(plan, dict)
    return plan


def _is_plan(plan: Any) -> bool:
    if not isinstance(plan, dict) or not isinstance(plan.get("varied"), list):
        return False
    jobs = plan.get("jobs")
    return isinstance(jobs, list) and all(isinstance(job, dict) for job in jobs)


def _newest(runs: Sequence[StudyRun]) -> tuple[tuple[StudyRun, ...], tuple[StudyRun, ...]]:
    """Return the newest run per set of parameters, finished ones first, and the other runs."""
    chosen: dict[tuple[tuple[str, str], ...], StudyRun] = {}
    for run in sorted(runs, key=lambda run: (run.finished, run.started)):
        chosen[tuple(sorted(run.params.items()))] = run
    kept = sorted(chosen.values(), key=lambda run: run.started)
    return tuple(kept), tuple(run for run in runs if run not in kept)
