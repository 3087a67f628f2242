"""Turns the overrides of a sweep into checked jobs, before anything is trained."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from itertools import chain
from typing import Any

from hydra._internal.core_plugins.basic_sweeper import BasicSweeper
from hydra.core.override_parser.types import Override, ValueType
from omegaconf import DictConfig, OmegaConf

from pipeline.settings import (
    Settings,
    SettingsError,
    flat_parameters,
    parse_settings,
    unknown_option,
)
from pipeline.settings.composer import Composer, resolved, set_key
from pipeline.settings.cross_checks import notes
from pipeline.settings.mlflow_environment import unused_variables
from pipeline.settings.model_function import is_own, model_function
from pipeline.settings.schema import Running
from pipeline.settings.suggest import choices, not_offered
from pipeline.sweep.naming import sweep_title
from pipeline.tracking.ranking import Criterion, criterion

_GROUPS = (
    "model",
    "dataset",
    "optimizer",
    "tracking",
    "study",
)  # to suggest where a key is unknown


@dataclass(frozen=True)
class Job:
    """One run to come.

    Attributes:
        overrides: what composes it.
        settings: what that gives, checked.
        values: the same, as plain values.
        parameters: the part of them that a run logs.
    """

    overrides: tuple[str, ...]
    settings: Settings
    values: dict[str, Any]
    parameters: dict[str, str]


@dataclass(frozen=True)
class Plan:
    """All jobs of a sweep, the keys that differ between them, remarks on them, and its study."""

    jobs: tuple[Job, ...]
    varied: tuple[str, ...]
    notes: tuple[str, ...]
    study: str | None = None

    @property
    def title(self) -> str:
        """The sweep by its overrides, `model=lstm units=32,64`."""
        return sweep_title([job.overrides for job in self.jobs], self.jobs[0].settings.model_name)

    @property
    def experiments(self) -> list[str]:
        """Names of the experiments that the jobs are tracked in."""
        return list(dict.fromkeys(job.settings.place.experiment for job in self.jobs))

    @property
    def varied_parameters(self) -> list[str]:
        """The varied keys that runs log as parameters; an experiment's name is none."""
        logged = {key for job in self.jobs for key in job.parameters}
        return [key for key in self.varied if key in logged]

    @property
    def criterion(self) -> Criterion:
        """What the best of its runs is chosen by."""
        return criterion(self.jobs[0].settings.running.select_by)


def plan_sweep(arguments: Sequence[str], composer: Composer) -> Plan:
    """Check a sweep and list its jobs.

    Args:
        arguments: overrides as on the command line, `["model=lstm", "units=32,64"]`.
        composer: gives the configuration for overrides.

    Raises:
        SettingsError: with one sentence for every fault in any of the jobs.
    """
    overrides = parse_overrides(arguments, composer)
    faults = list(_illegal(overrides, composer))
    if faults:
        raise SettingsError(faults)
    jobs: list[Job] = []
    for lines in chain.from_iterable(BasicSweeper.split_arguments(overrides, None)):
        try:
            jobs.append(_job([_as_typed(line) for line in lines], composer))
        except SettingsError as error:
            faults += [fault for fault in error.faults if fault not in faults]
    if faults:
        raise SettingsError(faults)
    remarks = dict.fromkeys(chain.from_iterable(notes(job.settings) for job in jobs))
    remarks |= dict.fromkeys(unused_variables())
    return Plan(tuple(jobs), _varied(overrides, jobs), tuple(remarks), _study(overrides))


def _as_typed(line: str) -> str:
    """Hydra spells booleans as Python does, and escapes the colon of `my_models:textcnn`."""
    key, _, value = line.partition("=")
    if key == "model":
        return line.replace("\\:", ":")
    return f"{key}={value.lower()}" if value in ("True", "False") else line


def parse_overrides(arguments: Sequence[str], composer: Composer) -> list[Override]:
    """The last of each key: what a file sweeps gives way to the command line.

    Raises:
        SettingsError: when they cannot be read.
    """
    overrides = composer.parse(arguments)
    return list({override.key_or_group: override for override in overrides}.values())


def _varied(overrides: Sequence[Override], jobs: Sequence[Job]) -> tuple[str, ...]:
    """The swept keys; for a swept group that is no parameter of runs, the parameters it changes."""
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
    """Faults that can be told from the overrides alone, or that Hydra would let pass."""
    for override in overrides:
        key = override.key_or_group
        if override.is_delete():
            yield f"{override.input_line} would remove a setting; every one is needed."
        elif composer.is_choice(override):
            yield from _illegal_choice(override, composer)
        elif not override.is_sweep_override():
            continue
        elif key in Running.model_fields:
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
        if key == "model" and is_own(value):
            yield from _unusable(value)
        elif value not in offered:
            yield not_offered(key, value, offered)
    if key == "study" and override.is_sweep_override():
        yield f"{override.input_line} names several studies; run one at a time."


def _unusable(model: str) -> list[str]:
    """Why a function of the user's cannot be a model."""
    try:
        model_function(model)
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
    config = composer.files(chosen).copy()
    known = _keys(config)
    faults: list[str] = []
    try:
        for override in (one for one in overrides if one not in chosen):
            faults += _apply(override, config, known)
        values = resolved(config)
        settings = parse_settings(values)
    except SettingsError as error:
        raise SettingsError(faults + error.faults) from error
    if faults:
        raise SettingsError(faults)
    own = tuple(_settled(line, one in chosen) for line, one in zip(lines, overrides, strict=True))
    return Job(own, settings, values, flat_parameters(values))


def _settled(line: str, is_choice: bool) -> str:
    """An override of a key without Hydra's `+` or `++`: the key is there."""
    return line if is_choice else line.lstrip("+")


def _apply(override: Override, config: DictConfig, known: Sequence[str]) -> list[str]:
    """Set one key that exists; a key that does not is a fault, even with Hydra's `+`."""
    key = override.key_or_group
    if key not in known:
        return [unknown_option(key, config, [*known, *_GROUPS])]
    try:
        set_key(config, override)
    except SettingsError as error:
        return error.faults
    return []


def _keys(config: DictConfig) -> list[str]:
    """Every settable key, with dots, the sweeper's own left out."""
    nodes = OmegaConf.to_container(config, resolve=False)
    assert isinstance(nodes, dict)
    keys: list[str] = []
    for key, node in nodes.items():
        if key not in ("sweep", "study"):
            keys += [f"{key!s}.{name}" for name in node] if isinstance(node, dict) else [str(key)]
    return keys
