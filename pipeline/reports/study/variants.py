"""Runs grouped by setting: a variant is one setting with several seeds."""

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

from pipeline.reports.study.definition import Study
from pipeline.reports.study.statistics import Estimate, estimate
from pipeline.reports.study.study_run import Measure, StudyRun
from pipeline.reports.study.varied import GROUPS
from pipeline.settings.as_typed import label
from pipeline.tasks import task_named
from pipeline.tracking import names

_SWITCHED = {"true": "on", "false": "off"}


@dataclass(frozen=True)
class Setting:
    """One value per varied key."""

    keys: tuple[str, ...]  # the varied keys; empty if only the seed was varied
    values: tuple[str, ...]  # one per key, as typed on the command line
    # a description, `one layer`; those of several keys are separated by commas
    words: str = field(compare=False)

    @property
    def by_key(self) -> dict[str, str]:
        """The values by key."""
        return dict(zip(self.keys, self.values, strict=True))

    @property
    def subject(self) -> str:
        """The description as the singular subject of a sentence."""
        if len(self.keys) > 1:
            return f"the combination of {self.words}"
        return self.words


def setting_of(values: Mapping[str, str], study: Study | None) -> Setting:
    """Return a setting, named by its study's words or else by key and value."""
    words = [_in_words(key, value, study) for key, value in values.items()]
    return Setting(tuple(values), tuple(values.values()), ", ".join(words) or "all runs")


def _in_words(key: str, value: str, study: Study | None) -> str:
    """Return `one layer` if the study defines it, else `lstm`, `units 64` or `mask on`."""
    if study is not None and (words := study.words_for(key, value)) is not None:
        return words
    if key in GROUPS:  # the value needs no key beside it: `lstm`
        return value
    return f"{key.replace('_', ' ')} {_SWITCHED.get(value, value)}"


@dataclass(frozen=True)
class Variant:
    """All finished runs with one setting."""

    setting: Setting  # the values of the varied keys
    runs: tuple[StudyRun, ...]  # one per seed

    @property
    def degenerate(self) -> list[StudyRun]:
        """The runs whose predictions hardly depend on their input, such as one class for all."""
        return [run for run in self.runs if run.tags.get(names.DEGENERATE, "no") != "no"]

    @property
    def degenerate_words(self) -> str:
        """What such runs predict, in two or three words."""
        return task_named(self.runs[0].task).degenerate

    def by_seed(self, measure: Measure) -> dict[int, float]:
        """Return the measure by seed, for the runs that have it."""
        return measure.by_seed(self.runs)

    def estimate(self, measure: Measure) -> Estimate | None:
        """Return the mean over seeds; None if no run has the measure."""
        samples = list(self.by_seed(measure).values())
        return estimate(samples) if samples else None


def values_in(params: Mapping[str, str], varied: Sequence[str]) -> tuple[str, ...]:
    """Return the values of the varied keys among a run's parameters."""
    return tuple(label(params.get(key)) for key in varied)


def group_by_values(
    runs: Sequence[StudyRun],
    varied: Sequence[str],
    planned: Sequence[Mapping[str, str]] | None,
    study: Study | None = None,
) -> list[Variant]:
    """Group runs into variants, in planned order or else sorted by value; seeds in order.

    Args:
        varied: keys whose values define a variant.
        planned: parameters of each job of the sweep, if known.
    """
    order: dict[tuple[str, ...], list[StudyRun]] = {}
    for job in planned or ():
        order.setdefault(values_in(job, varied), [])
    found = {values_in(run.params, varied) for run in runs} - order.keys()
    for values in sorted(found, key=_natural):
        order[values] = []
    for run in sorted(runs, key=lambda run: run.seed):
        order[values_in(run.params, varied)].append(run)
    return [
        Variant(setting_of(dict(zip(varied, values, strict=True)), study), tuple(alike))
        for values, alike in order.items()
        if alike
    ]


def _natural(values: tuple[str, ...]) -> list[tuple[float, str]]:
    """Return a sort key: numbers by size, lists by their first number, words alphabetically."""
    keys = []
    for value in values:
        number = re.search(r"-?\d+(\.\d+)?(e-?\d+)?", value)
        keys.append((float(number.group()) if number else 0.0, value))
    return keys
