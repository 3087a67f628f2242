"""Turns the overrides of a search into its space, and checks what can be checked in advance."""

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from functools import partial
from typing import Any

from hydra.core.override_parser.types import Override

from pipeline.data.label_task import AUTO
from pipeline.search.metric import settled, unknown_metric
from pipeline.search.space import Dimension, dimension
from pipeline.settings import SettingsError, parse_group, refuse
from pipeline.settings.composer import Composer
from pipeline.settings.schema import Search
from pipeline.settings.scores import MEASURES
from pipeline.sweep.naming import sweep_title
from pipeline.sweep.plan import Job, SweepPlan, parse_overrides, plan_sweep
from pipeline.tracking.ranking import Criterion


@dataclass(frozen=True)
class SearchPlan:
    """A checked search.

    Attributes:
        fixed: overrides that all trials share.
        space: the varied keys and their possible values.
        search: the settings of the search.
        probes: jobs that cover every listed value and both ends of every interval.
        job: returns the checked job of a trial, given Optuna's value of each key; raises
            `SettingsError` if the values are incompatible.
        measure: what is computed after each epoch, beside the loss.
    """

    fixed: tuple[str, ...]
    space: tuple[Dimension, ...]
    search: Search
    probes: SweepPlan
    job: Callable[[Mapping[str, Any]], Job]
    measure: str = "accuracy"

    @property
    def title(self) -> str:
        """The fixed overrides and the searched keys as one title."""
        model = self.probes.jobs[0].settings.model_name
        space = " ".join(f"{one.key}={one.describe()}" for one in self.space)
        return f"{sweep_title([self.fixed], model)} {space}"

    def criterion(self, tasks: Sequence[str]) -> Criterion:
        """Return the criterion that ranks the trials of these tasks, of a settled search."""
        search = self.search
        least = search.direction == "minimize"
        return replace(self.probes.criterion(tasks), metric=search.metric, least=least)

    def settled(self, tasks: Sequence[str]) -> "SearchPlan":
        """Return the search with the metric and direction of its tasks, where they were `auto`.

        Raises:
            SettingsError: when runs of these tasks do not log the metric.
        """
        search = settled(self.search, tasks)
        refuse(unknown_metric(search.metric, self.datasets, tasks))
        return replace(self, search=search, measure=MEASURES[tasks[0]])

    @property
    def datasets(self) -> list[str]:
        """The names of the data sets."""
        return list(dict.fromkeys(job.settings.dataset.name for job in self.probes.jobs))


def plan_search(
    arguments: Sequence[str], options: Mapping[str, Any], composer: Composer
) -> SearchPlan:
    """Check a search.

    Args:
        arguments: overrides as on the command line, `["model=lstm", "units=choice(8,16)"]`.

    Raises:
        SettingsError: with one sentence per fault.
    """
    search = parse_group(Search, options, "hydra.sweeper")
    fixed, space, probes, plan = plan_space(arguments, composer)

    def job(params: Mapping[str, Any]) -> Job:
        chosen = [f"{one.key}={one.text(params[one.key])}" for one in space]
        return plan([*fixed, *chosen]).jobs[0]

    searched = SearchPlan(fixed, space, search, probes, job)
    tasks = dict.fromkeys(job.settings.training.task for job in probes.jobs)
    faults = unknown_metric(
        search.metric, searched.datasets, [task for task in tasks if task != AUTO]
    )
    if probes.jobs[0].settings.running.retry == "failed":
        faults.append(
            "retry=failed has no meaning in a search: that a trial failed is what it learned of it."
        )
    refuse(faults)
    return searched


_Plan = Callable[[list[str]], SweepPlan]


def plan_space(
    arguments: Sequence[str], composer: Composer
) -> tuple[tuple[str, ...], tuple[Dimension, ...], SweepPlan, _Plan]:
    """Return the fixed overrides, the space, the plan of the probing jobs, and a job planner.

    Raises:
        SettingsError: with one sentence per fault.
    """
    plan = partial(plan_sweep, composer=composer)
    fixed, space = _space(parse_overrides(arguments, composer))
    return fixed, space, _probes(fixed, space, plan), plan


def _space(overrides: Iterable[Override]) -> tuple[tuple[str, ...], tuple[Dimension, ...]]:
    fixed, space, faults = [], [], []
    for override in overrides:
        if override.key_or_group == "study":
            faults.append(f"{override.input_line} brings its own values to try; leave it out.")
        elif not override.is_sweep_override():
            fixed.append(override.input_line or "")
        else:
            try:
                space.append(dimension(override))
            except SettingsError as error:
                faults += error.faults
    if not (space or faults):
        faults.append(
            "hydra/sweeper=optuna has nothing to search: give a key several values, such as "
            "'units=choice(8,16,32)' or 'learning_rate=tag(log,interval(1e-4,1e-1))'."
        )
    refuse(faults)
    return tuple(fixed), tuple(space)


def _probes(fixed: Sequence[str], space: Sequence[Dimension], plan: _Plan) -> SweepPlan:
    """Vary one key at a time, the others at their first value: few jobs check every value.

    A combination that is invalid is refused when the sampler draws it.
    """
    first = {one.key: f"{one.key}={one.probes[0]}" for one in space}
    jobs: dict[tuple[str, ...], Job] = {}
    faults: list[str] = []
    notes: dict[str, None] = {}
    for one in space:
        varied = {**first, one.key: f"{one.key}={','.join(one.probes)}"}
        try:
            probed = plan([*fixed, *varied.values()])
        except SettingsError as error:
            faults += [fault for fault in error.faults if fault not in faults]
        else:
            jobs |= {job.overrides: job for job in probed.jobs}
            notes |= dict.fromkeys(probed.notes)
    if faults:
        raise SettingsError([*faults, *_whole(space, faults)])
    return SweepPlan(tuple(jobs.values()), tuple(first), tuple(notes))


def _whole(space: Sequence[Dimension], faults: Sequence[str]) -> list[str]:
    """Suggest the integer form for a key that refuses the real numbers of its interval."""
    return [
        f"For whole numbers write {one.key}=int(interval(...)) or {one.key}=range(...)."
        for one in space
        if any(fault.startswith(f"{one.key}={one.probes[0]} must be a whole") for fault in faults)
        and one.probes[0].endswith(".0")
    ]
