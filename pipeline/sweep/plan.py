"""Turns the overrides of a sweep into checked jobs before any training."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from itertools import chain
from typing import Any

from hydra._internal.core_plugins.basic_sweeper import BasicSweeper
from hydra.core.override_parser.types import Override, ValueType
from omegaconf import OmegaConf

from pipeline.data.label_task import AUTO
from pipeline.errors import choices, not_offered
from pipeline.functions.lookup import is_own
from pipeline.settings import (
    Settings,
    SettingsError,
    flat_parameters,
    parse_settings,
    refuse,
    unknown_option,
)
from pipeline.settings.composer import Composed, Composer
from pipeline.settings.cross_checks import notes
from pipeline.settings.mlflow_environment import unused_variables
from pipeline.settings.optimizer_arguments import optimizer_arguments
from pipeline.settings.own_functions import OWN_FUNCTIONS
from pipeline.settings.schema import Running
from pipeline.settings.scores import TASK_SCORES
from pipeline.sweep.naming import sweep_title
from pipeline.tracking.ranking import Criterion, criterion

_OF_FUNCTIONS = ("loss", "metrics", "callbacks")  # settings that may name functions
# For suggestions if a key is unknown.
_GROUPS = ("model", "dataset", "optimizer", "schedule", "tracking", "study")


@dataclass(frozen=True)
class Job:
    """One planned run."""

    overrides: tuple[str, ...]  # the overrides that compose it
    settings: Settings  # the checked settings
    values: dict[str, Any]  # the same configuration as plain values
    parameters: dict[str, str]  # the values that a run logs


@dataclass(frozen=True)
class SweepPlan:
    """The jobs of a sweep, the keys that differ between them, remarks, and the study."""

    jobs: tuple[Job, ...]
    varied: tuple[str, ...]
    notes: tuple[str, ...]
    study: str | None = None

    @property
    def title(self) -> str:
        """The overrides of the sweep, `model=lstm units=32,64`."""
        return sweep_title([job.overrides for job in self.jobs], self.jobs[0].settings.model_name)

    @property
    def experiments(self) -> list[str]:
        """Names of the experiments that the jobs are tracked in."""
        return list(dict.fromkeys(job.settings.place.experiment for job in self.jobs))

    @property
    def varied_parameters(self) -> list[str]:
        """The varied keys that runs log as parameters; an experiment's name is not one."""
        logged = {key for job in self.jobs for key in job.parameters}
        return [key for key in self.varied if key in logged]

    def criterion(self, tasks: Sequence[str]) -> Criterion:
        """Return the criterion that selects the best run.

        Raises:
            SettingsError: when it is not a score of these tasks.
        """
        select_by = self.jobs[0].settings.running.select_by
        offered = list(dict.fromkeys(chain.from_iterable(TASK_SCORES[task] for task in tasks)))
        if select_by not in (AUTO, *offered):
            told = choices([f"task={task}" for task in tasks])
            raise SettingsError(
                [f"select_by={select_by} is not a score of {told}: choose {choices(offered)}."]
            )
        return criterion(select_by, tasks)


def plan_sweep(arguments: Sequence[str], composer: Composer) -> SweepPlan:
    """Check a sweep and list its jobs.

    Args:
        arguments: overrides as on the command line, `["model=lstm", "units=32,64"]`.

    Raises:
        SettingsError: with one sentence per fault in any of the jobs.
    """
    overrides = parse_overrides(arguments, composer)
    refuse(_illegal(overrides, composer))
    jobs: list[Job] = []
    faults: list[str] = []
    for lines in chain.from_iterable(BasicSweeper.split_arguments(overrides, None)):
        try:
            jobs.append(_job([_as_typed(line) for line in lines], composer))
        except SettingsError as error:
            faults += [fault for fault in error.faults if fault not in faults]
    refuse(faults)
    remarks = dict.fromkeys(chain.from_iterable(notes(job.settings) for job in jobs))
    remarks |= dict.fromkeys(unused_variables())
    return SweepPlan(tuple(jobs), _varied(overrides, jobs), tuple(remarks), _study(overrides))


def _as_typed(line: str) -> str:
    """Undo Hydra's spelling of booleans and its escaped colon in `my_models:textcnn`."""
    key, _, value = line.partition("=")
    if key in OWN_FUNCTIONS or key in _OF_FUNCTIONS:
        return line.replace("\\:", ":")
    return f"{key}={value.lower()}" if value in ("True", "False") else line


def parse_overrides(arguments: Sequence[str], composer: Composer) -> list[Override]:
    """Return the last override of each key: the command line overrides a file's sweep.

    Raises:
        SettingsError: when they cannot be parsed.
    """
    overrides = composer.parse(arguments)
    return list({override.key_or_group: override for override in overrides}.values())


def _varied(overrides: Sequence[Override], jobs: Sequence[Job]) -> tuple[str, ...]:
    """Return the swept keys; a swept group that is no parameter counts by what it changes."""
    varied: dict[str, None] = {}
    for override in overrides:
        key = override.key_or_group
        if override.is_sweep_override():
            is_parameter = key in jobs[0].parameters and not override.is_add()
            varied |= dict.fromkeys([key] if is_parameter else _differing(jobs))
    return tuple(varied)


def _differing(jobs: Sequence[Job]) -> list[str]:
    keys = dict.fromkeys(chain.from_iterable(job.parameters for job in jobs))
    return [key for key in keys if len({job.parameters.get(key) for job in jobs}) > 1]


def _study(overrides: list[Override]) -> str | None:
    chosen = [str(o.value()) for o in overrides if o.key_or_group == "study"]
    return chosen[0] if chosen else None


def _illegal(overrides: list[Override], composer: Composer) -> Iterator[str]:
    """Yield faults that are visible in the overrides alone, or that Hydra would ignore."""
    for override in overrides:
        key = override.key_or_group
        if override.is_delete():
            yield f"{override.input_line} would remove a setting; every one is needed."
        elif composer.is_choice(override):
            yield from _illegal_choice(override, composer)
        elif not override.is_sweep_override():
            continue
        elif key in Running.model_fields or key.startswith("resources."):
            yield f"{override.input_line} names several; {key} is one for a whole sweep."
        elif override.value_type is ValueType.GLOB_CHOICE_SWEEP:
            yield f"{override.input_line}: glob(...) lists the files of a group; list the values."
        elif not override.is_discrete_sweep():
            yield (
                f"{override.input_line} has no end; list the values, `{key}=1,2,3`, or search "
                "with hydra/sweeper=optuna."
            )


def _illegal_choice(override: Override, composer: Composer) -> Iterator[str]:
    key = override.key_or_group
    offered = composer.get_group_options(key)
    values = _values(override)
    if not values:
        yield f"{override.input_line} matches none of {choices(offered)}."
    for value in values:
        if key in OWN_FUNCTIONS and is_own(value):
            yield from _unusable(key, value)
        elif value not in offered:
            yield not_offered(key, value, offered)
    if key == "study" and override.is_sweep_override():
        yield f"{override.input_line} names several studies; run one at a time."


def _unusable(group: str, name: str) -> list[str]:
    """Return why a user's function cannot be used as a choice of a group."""
    try:
        OWN_FUNCTIONS[group](name)
    except SettingsError as error:
        return error.faults
    return []


def _values(override: Override) -> list[str]:
    if override.is_discrete_sweep():
        return [value.replace("\\:", ":") for value in override.sweep_string_iterator()]
    value = override.value()
    return [str(one) for one in (value if isinstance(value, list) else [value])]


def _job(lines: Sequence[str], composer: Composer) -> Job:
    overrides = composer.parse(lines)
    chosen = [one for one in overrides if composer.is_choice(one)]
    composed = composer.files(chosen)
    known = _keys(composed.written)
    faults: list[str] = []
    try:
        for override in (one for one in overrides if one not in chosen):
            faults += _apply(override, composed, known)
        values = composed.resolved()
        settings = parse_settings(values)
    except SettingsError as error:
        raise SettingsError(faults + error.faults) from error
    refuse(faults)
    # Hydra's `+` and `++` are not needed for a key that exists.
    pairs = zip(lines, overrides, strict=True)
    own = tuple(line if one in chosen else line.lstrip("+") for line, one in pairs)
    return Job(own, settings, values, flat_parameters(values))


def _apply(override: Override, composed: Composed, known: Sequence[str]) -> list[str]:
    """Set one existing key; an unknown key is a fault, even with Hydra's `+`."""
    key = override.key_or_group
    if key not in known:
        return [unknown_option(key, composed.config, [*known, *_GROUPS])]
    if key.startswith("optimizer."):  # the file of an optimizer names some of its arguments
        OmegaConf.set_struct(composed.config.optimizer, False)
    try:
        composed.set(override)
    except SettingsError as error:
        return error.faults
    return []


def _keys(written: Mapping[str, Any]) -> list[str]:
    """Return every settable key, dotted, except the sweeper's own."""
    keys: list[str] = []
    for key, node in written.items():
        if key == "optimizer":
            node = node | dict.fromkeys(optimizer_arguments(node["name"]))
        if key not in ("sweep", "study"):
            keys += [f"{key}.{name}" for name in node] if isinstance(node, dict) else [key]
    return keys
