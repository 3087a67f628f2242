"""Compares variants: which setting is best, which ones differ, by how much, how surely.

The intervals are computed in `statistics.py`; `verdict_wording.py` words the outcome.
"""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from itertools import combinations, islice
from statistics import fmean

from pipeline.reports.study.gathering import Gathered
from pipeline.reports.study.statistics import Difference, holm, paired_difference
from pipeline.reports.study.study_run import (
    STUDY_MEASURES,
    Measure,
    main_measure,
    selection_measure,
)
from pipeline.reports.study.variants import Setting, Variant, group_by_values, setting_of

_ALL_PAIRS = 4  # above this many variants, only pairs with the first one are compared
_SIGNIFICANT = 0.05


@dataclass(frozen=True)
class Comparison:
    """Two settings compared seed by seed."""

    first: Setting  # one setting
    second: Setting  # the other
    difference: Difference  # of the main measure, first minus second
    p: float | None  # adjusted for the number of comparisons (Holm); None below 3 seeds
    least: bool = False  # whether a lower value of the measure is better

    @property
    def verdict(self) -> str:
        """`shown`, `likely` (only without adjustment), `no difference shown`, `too few`."""
        if self.difference.interval is None:
            return "too few seeds for an interval"
        if not self.difference.shown:
            return "no difference shown"
        return "shown" if self.p is not None and self.p < _SIGNIFICANT else "likely"

    @property
    def lead(self) -> float:
        """How much better the first setting is; negative if it is worse."""
        return -self.difference.mean if self.least else self.difference.mean

    @property
    def better(self) -> Setting:
        """The setting with the better mean."""
        return self.first if self.lead >= 0 else self.second

    @property
    def worse(self) -> Setting:
        """The setting with the worse mean."""
        return self.second if self.lead >= 0 else self.first


@dataclass(frozen=True)
class Effect:
    """The effect of one of several varied keys, averaged over the settings of the others.

    Attributes:
        key: the key.
        comparisons: its best value (by the selection measure) against each other one; p is
            adjusted for the comparisons of all keys.
        ranges: for each comparison, its smallest and largest mean in any setting of the other keys.
    """

    key: str
    comparisons: tuple[Comparison, ...]
    ranges: tuple[tuple[float, float], ...]


@dataclass(frozen=True)
class Analysis:
    """All results that are computed from a report's runs.

    Attributes:
        gathered: the runs.
        task: the meaning of the runs' outputs.
        main: the measure that is reported and compared.
        variants: finished runs by setting, in the order of their values.
        selection: the validation score that selects the best setting.
        ranked: variants with the main measure, sorted by the mean of `selection`, best first; by
            the main measure if no setting can be selected.
        best: the first of `ranked`, selected on validation; None if a run lacks that score.
        comparisons: paired differences of the main measure, those of the first variant first.
        effects: one per varied key, if there are several.
    """

    gathered: Gathered
    task: str
    main: Measure
    variants: tuple[Variant, ...]
    selection: Measure
    ranked: tuple[Variant, ...]
    best: Variant | None
    comparisons: tuple[Comparison, ...]
    effects: tuple[Effect, ...]

    @property
    def seeds(self) -> list[int]:
        """The distinct numbers of runs per variant."""
        return sorted({len(variant.runs) for variant in self.variants})


def analyse(gathered: Gathered) -> Analysis:
    """Group a report's finished runs and compare them.

    The best setting is selected on the validation set: a setting selected on the test set would
    have a test score that is too high. Runs of early versions have no validation score.

    Args:
        gathered: the runs, at least one of which has the reported measure.
    """
    finished = [run for run in gathered.runs if run.finished]
    task, main = gathered.task, reported_measure(gathered)
    variants = group_by_values(finished, gathered.varied, gathered.planned, gathered.study)
    scored = [variant for variant in variants if variant.estimate(main) is not None]
    selection = selection_measure(gathered.select_by, task)
    lacking = any(v.by_seed(main).keys() - v.by_seed(selection).keys() for v in scored)
    by = main if lacking else selection
    ranked = sorted(scored, key=lambda variant: _place(variant.by_seed(by).values(), by))
    effects = _effects(gathered, variants, main, by) if len(gathered.varied) > 1 else []
    return Analysis(
        gathered,
        task,
        main,
        tuple(variants),
        selection,
        tuple(ranked),
        None if lacking else ranked[0],
        tuple(_comparisons(ranked, main)),
        tuple(effects),
    )


def reported_measure(gathered: Gathered) -> Measure:
    """Return the measure that a study names, or else the primary test score of the task."""
    study = gathered.study
    if study is not None and study.measure is not None:
        return STUDY_MEASURES[study.measure]
    return main_measure(gathered.task)


def _place(samples: Iterable[float], measure: Measure) -> float:
    """Return a sort key that puts the best mean first."""
    mean = fmean(samples)
    return mean if measure.least else -mean


def _comparisons(ranked: Sequence[Variant], main: Measure) -> list[Comparison]:
    pairs = list(combinations(ranked, 2))
    if len(ranked) > _ALL_PAIRS:
        pairs = [(ranked[0], other) for other in ranked[1:]]
    found = [
        _comparison(first.setting, first.by_seed(main), second.setting, second.by_seed(main), main)
        for first, second in pairs
    ]
    return _adjusted([comparison for comparison in found if comparison is not None])


def _comparison(
    first: Setting,
    of_first: Mapping[int, float],
    second: Setting,
    of_second: Mapping[int, float],
    main: Measure,
) -> Comparison | None:
    """Compare two variants, with p not adjusted yet; None if they have no seed in common."""
    difference = paired_difference(of_first, of_second)
    if difference is None:
        return None
    return Comparison(first, second, difference, difference.p, main.least)


def _adjusted(comparisons: Sequence[Comparison]) -> list[Comparison]:
    """Return the comparisons with p values adjusted for their number."""
    corrected = iter(holm([c.p for c in comparisons if c.p is not None]))
    return [c if c.p is None else replace(c, p=next(corrected)) for c in comparisons]


def _effects(
    gathered: Gathered, variants: Sequence[Variant], main: Measure, by: Measure
) -> list[Effect]:
    """Return the effect of every key with enough runs; p is adjusted over all keys together."""
    found = [
        effect for key in gathered.varied if (effect := _effect(key, gathered, variants, main, by))
    ]
    corrected = iter(_adjusted([c for effect in found for c in effect.comparisons]))
    return [
        replace(effect, comparisons=tuple(islice(corrected, len(effect.comparisons))))
        for effect in found
    ]


def _effect(
    key: str, gathered: Gathered, variants: Sequence[Variant], main: Measure, by: Measure
) -> Effect | None:
    """Return one effect; None if no setting of the other keys has runs for all its values."""
    samples = _samples(key, variants, main)
    if sum(map(bool, samples.values())) < 2:
        return None
    selecting = samples if by is main else _samples(key, variants, by)
    best, *others = sorted(samples, key=lambda value: _place(selecting[value].values(), by))
    means = {value: _seed_means(found) for value, found in samples.items()}
    settings = {value: setting_of({key: value}, gathered.study) for value in samples}
    found = [
        _comparison(settings[best], means[best], settings[other], means[other], main)
        for other in others
    ]
    comparisons = [comparison for comparison in found if comparison is not None]
    ranges = [_range(samples[best], samples[other]) for other in others]
    return Effect(key, tuple(comparisons), tuple(ranges))


_Samples = dict[tuple[tuple[str, ...], int], float]  # score by setting of the other keys, and seed


def _samples(key: str, variants: Sequence[Variant], measure: Measure) -> dict[str, _Samples]:
    """Return scores per value of a key, for settings of the others and seeds common to all."""
    samples: dict[str, _Samples] = {}
    for variant in variants:
        values = variant.setting.by_key
        into = samples.setdefault(values.pop(key), {})
        rest = tuple(values.values())
        into.update({(rest, seed): score for seed, score in variant.by_seed(measure).items()})
    common = set.intersection(*(set(found) for found in samples.values()))
    settings = {rest for rest, _ in common}
    seeds = {seed for _, seed in common}
    whole = {seed for seed in seeds if all((rest, seed) in common for rest in settings)}
    return {
        value: {place: found[place] for place in sorted(common) if place[1] in whole}
        for value, found in samples.items()
    }


def _seed_means(samples: _Samples) -> dict[int, float]:
    by_seed: dict[int, list[float]] = {}
    for (_, seed), score in samples.items():
        by_seed.setdefault(seed, []).append(score)
    return {seed: fmean(scores) for seed, scores in by_seed.items()}


def _range(first: _Samples, second: _Samples) -> tuple[float, float]:
    by_setting: dict[tuple[str, ...], list[float]] = {}
    for (rest, seed), score in first.items():
        by_setting.setdefault(rest, []).append(score - second[rest, seed])
    means = [fmean(found) for found in by_setting.values()]
    return min(means), max(means)
