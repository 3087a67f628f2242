"""Runs put together by the setting they share: one variant, several seeds."""

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from pipeline.reports.study.measures import Measure
from pipeline.reports.study.statistics import Estimate, estimate
from pipeline.reports.study.study_run import StudyRun
from pipeline.settings.as_typed import label
from pipeline.tracking import names


@dataclass(frozen=True)
class Variant:
    """All finished runs with the same values of the varied keys.

    Attributes:
        values: those values by key; empty when nothing but the seed was varied.
        runs: one a seed.
    """

    values: Mapping[str, str]
    runs: tuple[StudyRun, ...]

    @property
    def name(self) -> str:
        """`units=64`, or `mask=true padding=post`."""
        return " ".join(f"{key}={value}" for key, value in self.values.items()) or "all runs"

    @property
    def short(self) -> str:
        """The value alone where there is one key: `64`."""
        return next(iter(self.values.values())) if len(self.values) == 1 else self.name

    @property
    def degenerate(self) -> list[StudyRun]:
        """Runs whose model predicts one class for at least 99 of 100 examples."""
        return [run for run in self.runs if run.tags.get(names.DEGENERATE, "no") != "no"]

    def by_seed(self, measure: Measure) -> dict[int, float]:
        """The measure of each seed's run, where it has one."""
        found = {run.seed: measure.of(run) for run in self.runs}
        return {seed: value for seed, value in found.items() if value is not None}

    def estimate(self, measure: Measure) -> Estimate | None:
        """The mean over seeds; None when no run has the measure."""
        samples = list(self.by_seed(measure).values())
        return estimate(samples) if samples else None


def values_in(params: Mapping[str, str], varied: Sequence[str]) -> tuple[str, ...]:
    """What a run's parameters say of the varied keys."""
    return tuple(label(params.get(key)) for key in varied)


def group_by_values(
    runs: Sequence[StudyRun], varied: Sequence[str], planned: Sequence[Mapping[str, str]] | None
) -> list[Variant]:
    """Variants in the order they were planned in, or sorted by value; seeds in order.

    Args:
        runs: finished ones.
        varied: keys to tell variants by.
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
        Variant(dict(zip(varied, values, strict=True)), tuple(alike))
        for values, alike in order.items()
        if alike
    ]


def _natural(values: tuple[str, ...]) -> list[tuple[float, str]]:
    """Numbers by size, lists by their first number, words by the alphabet."""
    keys = []
    for value in values:
        number = re.search(r"-?\d+(\.\d+)?(e-?\d+)?", value)
        keys.append((float(number.group()) if number else 0.0, value))
    return keys
