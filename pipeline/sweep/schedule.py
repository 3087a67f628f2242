"""Schedule of a sweep: the identity and state of each job, and the jobs that are left to train."""

import math
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import Any

from pipeline.data.catalogue import spec_of
from pipeline.data.sharing import shared_data
from pipeline.job.brought import brought
from pipeline.job.identity import identity
from pipeline.settings import Settings
from pipeline.settings.schema import Resources, Running
from pipeline.sweep.cores import threads_within_operation
from pipeline.sweep.naming import run_name, sweep_name
from pipeline.sweep.needs import Need, cluster_need
from pipeline.sweep.plan import Job, SweepPlan
from pipeline.tracking.attempts import Standing, standings
from pipeline.tracking.store import Store

# Keys that do not affect a compiled model.
_NUMBERS = ("seed", "learning_rate", "schedule", "sweep")


@dataclass(frozen=True)
class ScheduledJob:
    """A job of a sweep, its identity, and the state of its latest attempt."""

    job: Job
    identity: str
    standing: Standing


@dataclass(frozen=True)
class Schedule:
    """The jobs of a sweep, without duplicates."""

    sweep_id: str  # a hash of the jobs, so that the same jobs always have the same id
    jobs: tuple[ScheduledJob, ...]  # the jobs, in the plan's order
    data: tuple[str, ...]  # one line per data set
    tasks: tuple[str, ...]  # the tasks of the data sets, without duplicates
    repeated: int  # the number of duplicate jobs that were left out

    @property
    def running(self) -> Running:
        """Settings that apply to the whole sweep."""
        return self.jobs[0].job.settings.running

    @property
    def to_train(self) -> list[ScheduledJob]:
        """The jobs to pass to a launcher."""
        return [one for one in self.jobs if self._wanted(one.standing)]

    @property
    def done(self) -> list[ScheduledJob]:
        """The jobs whose finished run is reused."""
        if self.running.rerun:
            return []
        return [one for one in self.jobs if one.standing.state == "done"]

    @property
    def superseded(self) -> list[ScheduledJob]:
        """The jobs that are trained again although this sweep has a finished run of them."""
        ended = [one for one in self.jobs if one.standing.state in ("done", "damaged")]
        return [one for one in ended if one.standing.listed and self._wanted(one.standing)]

    def _wanted(self, standing: Standing) -> bool:
        if self.running.retry == "failed":
            return standing.state == "failed"
        return self.running.rerun or standing.state != "done"


def schedule_sweep(plan: SweepPlan, store: Store) -> Schedule:
    """Identify the jobs of a plan and look up which of them are done.

    Args:
        store: where runs are tracked; a local store need not exist yet.

    Raises:
        DatasetError: when a data set is not available.
    """
    data = _data(plan)
    by_identity: dict[str, Job] = {}
    for job in plan.jobs:
        found = data[job.settings.data_key]
        key = identity(job.parameters, found.fingerprints, brought(job.settings))
        by_identity.setdefault(key, job)
    places = {*plan.experiments, plan.study or ""}
    sweep_id = sweep_name(by_identity, places)
    stands = _standings(by_identity, store, sweep_id)
    return Schedule(
        sweep_id,
        tuple(ScheduledJob(job, key, stands[key]) for key, job in by_identity.items()),
        tuple(dict.fromkeys(one.description for one in data.values())),
        tuple(dict.fromkeys(one.task for one in data.values())),
        repeated=len(plan.jobs) - len(by_identity),
    )


@dataclass(frozen=True)
class _Known:
    description: str
    task: str
    fingerprints: Mapping[str, str]


def _data(plan: SweepPlan) -> dict[Any, _Known]:
    """Load or download each data set once, so that a missing one is reported before any run."""
    known: dict[Any, _Known] = {}
    for job in plan.jobs:
        key = job.settings.data_key
        if key not in known:
            dataset = shared_data(**job.settings.data)
            known[key] = _Known(dataset.describe(), dataset.task, dataset.fingerprints)
    return known


def _standings(jobs: Mapping[str, Job], store: Store, sweep_id: str) -> dict[str, Standing]:
    by_experiment: dict[str, list[str]] = {}
    for key, job in jobs.items():
        by_experiment.setdefault(job.settings.place.experiment, []).append(key)
    found: dict[str, Standing] = {}
    for experiment, keys in by_experiment.items():
        found |= standings(store, experiment, keys, sweep_id)
    return found


@dataclass(frozen=True)
class LaunchedJob:
    """A job in the form that a launcher receives."""

    name: str
    values: Mapping[str, Any]  # its configuration, including its place in the sweep
    overrides: Sequence[str]  # the overrides that were set for it
    cost: float  # its expected duration, relative to other jobs

    @cached_property
    def model(self) -> str:
        """Key of its compiled model; jobs with equal keys can share one compiled model."""
        return repr({key: self.values[key] for key in self.values if key not in _NUMBERS})

    @property
    def threads(self) -> int | None:
        """The number of threads within an operation, which a process cannot change."""
        threads: int | None = self.values["sweep"]["threads"]
        return threads

    @property
    def resources(self) -> Resources:
        """The settings of what it needs."""
        return Resources(**self.values["resources"])

    @property
    def need(self) -> Need:
        """What it needs of a node of a cluster."""
        return cluster_need(self.resources, self.threads)


def launched_jobs(
    schedule: Schedule, varied: Sequence[str], started: float
) -> Iterator[LaunchedJob]:
    """Yield the jobs to train, each with its place in the sweep."""
    left = schedule.to_train
    sweep = {"id": schedule.sweep_id, "varied": list(varied), "jobs": len(left)}
    sweep["started"] = round(started, 3)
    for number, scheduled in enumerate(left, start=1):
        place = {**sweep, "identity": scheduled.identity, "job": number}
        yield launched_job(scheduled.job, place)


def launched_job(job: Job, place: Mapping[str, Any]) -> LaunchedJob:
    """Return a job with its place in a sweep, and the number of its threads."""
    name = run_name(job.overrides, place["varied"], job.parameters)
    threads = threads_within_operation(job.settings)
    values = {**job.values, "sweep": {**place, "threads": threads}}
    return LaunchedJob(name, values, job.overrides, relative_cost(job.settings))


def relative_cost(settings: Settings) -> float:
    """Return a relative duration of a job's training, for comparison with other jobs.

    It grows with the number of examples, the number of epochs and the size of the model. The size
    is unknown before the model is built, so every count among its settings is a factor: the jobs of
    a sweep mostly differ in one of them.
    """
    examples = settings.training.train_size or spec_of(settings.dataset.name).train_size or 1
    return _size(settings.model.model_dump()) * examples * settings.training.epochs


def _size(model: Mapping[str, object]) -> float:
    """Return the product of all counts; a list counts as its sum, an enabled switch as 2."""
    return math.prod(max(1.0, _count(value)) for value in model.values())


def _count(value: object) -> float:
    if isinstance(value, bool):
        return 1.0 + value
    if isinstance(value, int):
        return float(value)
    if isinstance(value, list | tuple):
        return math.fsum(map(_count, value))
    return 1.0
