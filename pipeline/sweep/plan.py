"""Turns the overrides of a sweep into checked jobs, before anything is trained.

Composing with Hydra takes tens of milliseconds, so each choice of groups (model, dataset, ...) is
composed once and the other overrides of a job are laid on top: a sweep of hundreds is checked in
about the time of one.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import cache
from itertools import chain
from typing import Any

from hydra._internal.core_plugins.basic_sweeper import BasicSweeper
from hydra.core.override_parser.overrides_parser import OverridesParser
from hydra.core.override_parser.types import Override
from hydra.errors import HydraException
from omegaconf import DictConfig, OmegaConf
from omegaconf.errors import OmegaConfBaseException

from pipeline.settings import (
    Settings,
    SettingsError,
    flat_parameters,
    parse_settings,
    unknown_option,
)
from pipeline.settings.composed import plain_values
from pipeline.settings.cross_checks import notes
from pipeline.settings.schema import Running
from pipeline.settings.suggest import not_offered

GROUPS = ("model", "dataset", "optimizer", "tracking", "study")

Compose = Callable[[list[str]], DictConfig]
Options = Callable[[str], list[str]]


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


def plan_sweep(arguments: Sequence[str], compose: Compose, options: Options) -> Plan:
    """Check a sweep and list its jobs.

    Args:
        arguments: overrides as on the command line, `["model=lstm", "units=32,64"]`.
        compose: gives the configuration for overrides of groups alone.
        options: the names that a group offers.

    Raises:
        SettingsError: with one sentence for every fault in any of the jobs.
    """
    overrides = parse_overrides(arguments)
    faults = _illegal(overrides, options)
    if faults:
        raise SettingsError(faults)
    composed = cache(lambda groups: _without_hydra(compose(list(groups))))
    jobs: list[Job] = []
    for lines in chain.from_iterable(BasicSweeper.split_arguments(overrides, None)):
        try:
            jobs.append(_job([_as_typed(line) for line in lines], composed))
        except SettingsError as error:
            faults += [fault for fault in error.faults if fault not in faults]
    if faults:
        raise SettingsError(faults)
    remarks = dict.fromkeys(chain.from_iterable(notes(job.settings) for job in jobs))
    varied = tuple(o.key_or_group for o in overrides if o.is_sweep_override())
    return Plan(tuple(jobs), varied, tuple(remarks), _study(overrides))


def _as_typed(line: str) -> str:
    """Hydra spells the values of a boolean sweep as Python does; people type them in lower case."""
    key, _, value = line.partition("=")
    return f"{key}={value.lower()}" if value in ("True", "False") else line


def parse_overrides(arguments: Sequence[str]) -> list[Override]:
    """The last of each key: what a file sweeps gives way to the command line.

    Raises:
        SettingsError: when they cannot be read.
    """
    try:
        overrides = OverridesParser.create().parse_overrides(list(arguments))
    except HydraException as error:
        reason = " ".join(str(error).split())
        raise SettingsError([f"the command line cannot be read: {reason}"]) from error
    return list({override.key_or_group: override for override in overrides}.values())


def _study(overrides: list[Override]) -> str | None:
    chosen = [str(o.value()) for o in overrides if o.key_or_group == "study"]
    return chosen[0] if chosen else None


def _illegal(overrides: list[Override], options: Options) -> list[str]:
    """Faults that can be told from the overrides alone, or that Hydra would let pass."""
    faults = []
    for override in overrides:
        key = override.key_or_group
        if override.is_delete():
            faults.append(f"{override.input_line} would remove a setting; every one is needed.")
        elif key in GROUPS:
            faults += [
                not_offered(key, value, options(key))
                for value in _values(override)
                if value not in options(key)
            ]
            if key == "study" and override.is_sweep_override():
                faults.append(f"{override.input_line} names several studies; run one at a time.")
        elif override.is_sweep_override() and key in Running.model_fields:
            faults.append(f"{override.input_line} names several; {key} is one for a whole sweep.")
        elif override.is_sweep_override() and not override.is_discrete_sweep():
            faults.append(
                f"{override.input_line} has no end; list the values, `{key}=1,2,3`, or search "
                "with hydra/sweeper=optuna."
            )
    return faults


def _values(override: Override) -> list[str]:
    if override.is_discrete_sweep():
        return list(override.sweep_string_iterator())
    return [str(override.value())]


def _without_hydra(config: DictConfig) -> DictConfig:
    """Hydra's own node is the larger part, and would be copied and resolved for every job."""
    return OmegaConf.masked_copy(config, [str(key) for key in config if key != "hydra"])


def _job(lines: Sequence[str], composed: Callable[[tuple[str, ...]], DictConfig]) -> Job:
    overrides = OverridesParser.create().parse_overrides(list(lines))
    groups = tuple(o.input_line or "" for o in overrides if o.key_or_group in GROUPS)
    config = composed(groups).copy()
    known = _keys(config)
    faults = [
        fault
        for override in overrides
        if override.key_or_group not in GROUPS
        for fault in _apply(override, config, known)
    ]
    try:
        values = plain_values(config)
        settings = parse_settings(values)
    except SettingsError as error:
        raise SettingsError(faults + error.faults) from error
    if faults:
        raise SettingsError(faults)
    return Job(tuple(lines), settings, values, flat_parameters(values))


def _apply(override: Override, config: DictConfig, known: Sequence[str]) -> list[str]:
    """Set one key that exists; a key that does not is a fault, even with Hydra's `+`."""
    key = override.key_or_group
    if key not in known:
        return [unknown_option(key, config, [*known, *GROUPS])]
    try:
        OmegaConf.update(config, key, override.value(), merge=True)
    except OmegaConfBaseException as error:
        return [f"{override.input_line} cannot be set: {str(error).splitlines()[0]}."]
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
