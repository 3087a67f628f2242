"""From variants to comparisons: which differ, by how much, how surely."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from itertools import combinations, islice
from statistics import fmean

from pipeline.reports.study.gathering import Gathered
from pipeline.reports.study.measures import MAIN
from pipeline.reports.study.statistics import Difference, holm, paired_difference
from pipeline.reports.study.variants import Variant, group_by_values

_ALL_PAIRS = 4  # up to this many variants each is compared with each, above with the best alone
_SIGNIFICANT = 0.05


@dataclass(frozen=True)
class Comparison:
    """Two settings compared seed by seed.

    Attributes:
        first: the one with the higher mean.
        second: the other.
        difference: of the main measure, first minus second.
        p: adjusted for the number of comparisons (Holm); None below 3 seeds.
    """

    first: str
    second: str
    difference: Difference
    p: float | None

    @property
    def verdict(self) -> str:
        """`shown`, `likely` (alone, but not among so many), `no difference shown`, `too few`."""
        if self.difference.interval is None:
            return "too few seeds for an interval"
        if not self.difference.shown:
            return "no difference shown"
        return "shown" if self.p is not None and self.p < _SIGNIFICANT else "likely"


@dataclass(frozen=True)
class Effect:
    """What one of several varied keys does, averaged over the settings of all the others.

    Attributes:
        key: the key.
        best: its value with the highest mean.
        levels: mean of the main measure by value.
        comparisons: the best value against each other one; p allows for those of all keys.
        ranges: for each comparison, its least and greatest mean in any setting of the other keys.
    """

    key: str
    best: str
    levels: dict[str, float]
    comparisons: tuple[Comparison, ...]
    ranges: tuple[tuple[float, float], ...]


@dataclass(frozen=True)
class Analysis:
    """All that is computed from the runs of a report.

    Attributes:
        gathered: the runs.
        variants: finished runs by setting, in the order of their values.
        comparisons: paired differences of the main measure, the best variant's first.
        effects: of each varied key, where there are several.
    """

    gathered: Gathered
    variants: tuple[Variant, ...]
    comparisons: tuple[Comparison, ...]
    effects: tuple[Effect, ...]

    @property
    def ranked(self) -> list[Variant]:
        """Variants with a score, the highest mean first."""
        return rank(self.variants)

    @property
    def best(self) -> Variant:
        """The variant with the highest mean of the main measure."""
        return self.ranked[0]

    @property
    def seeds(self) -> list[int]:
        """How many runs each variant has, without repetition."""
        return sorted({len(variant.runs) for variant in self.variants})


def rank(variants: Sequence[Variant]) -> list[Variant]:
    """The highest mean of the main measure first; variants without one are left out."""
    scored = [(variant, variant.estimate(MAIN)) for variant in variants]
    known = [(variant, found.mean) for variant, found in scored if found is not None]
    return [variant for variant, _ in sorted(known, key=lambda pair: -pair[1])]


def analyse(gathered: Gathered) -> Analysis:
    """Group a report's finished runs and compare them.

    Raises:
        ValueError: when no run has a test score.
    """
    finished = [run for run in gathered.runs if run.finished]
    variants = group_by_values(finished, gathered.varied, gathered.planned)
    ranked = rank(variants)
    if not ranked:
        raise ValueError(f"{gathered.title} has no finished run with a test score.")
    effects = _effects(gathered.varied, variants) if len(gathered.varied) > 1 else []
    return Analysis(gathered, tuple(variants), tuple(_comparisons(ranked)), tuple(effects))


def _comparisons(ranked: Sequence[Variant]) -> list[Comparison]:
    pairs = list(combinations(ranked, 2))
    if len(ranked) > _ALL_PAIRS:
        pairs = [(ranked[0], other) for other in ranked[1:]]
    found = [
        _comparison(first.name, first.by_seed(MAIN), second.name, second.by_seed(MAIN))
        for first, second in pairs
    ]
    return _adjusted([comparison for comparison in found if comparison is not None])


def _comparison(
    first: str, of_first: Mapping[int, float], second: str, of_second: Mapping[int, float]
) -> Comparison | None:
    """Alone, its p not adjusted yet; None when no seed is in both."""
    difference = paired_difference(of_first, of_second)
    return None if difference is None else Comparison(first, second, difference, difference.p)


def _adjusted(comparisons: Sequence[Comparison]) -> list[Comparison]:
    """The same, their p values allowing for each other's number."""
    corrected = iter(holm([c.p for c in comparisons if c.p is not None]))
    return [c if c.p is None else replace(c, p=next(corrected)) for c in comparisons]


def _effects(keys: Sequence[str], variants: Sequence[Variant]) -> list[Effect]:
    """Of every key that can be judged; the comparisons of all keys are one family."""
    found = [effect for key in keys if (effect := _effect(key, variants)) is not None]
    corrected = iter(_adjusted([c for effect in found for c in effect.comparisons]))
    return [
        replace(effect, comparisons=tuple(islice(corrected, len(effect.comparisons))))
        for effect in found
    ]


def _effect(key: str, variants: Sequence[Variant]) -> Effect | None:
    """Alone; None when no setting of the other keys has runs for every value of this one."""
    samples = _samples(key, variants)
    by_level = {level: _seed_means(found) for level, found in samples.items()}
    means = {level: fmean(found.values()) for level, found in by_level.items() if found}
    if len(means) < 2:
        return None
    best = max(means, key=lambda level: means[level])
    others = sorted((level for level in means if level != best), key=lambda level: -means[level])
    found = [
        _comparison(f"{key}={best}", by_level[best], f"{key}={other}", by_level[other])
        for other in others
    ]
    comparisons = [comparison for comparison in found if comparison is not None]
    ranges = [_range(samples[best], samples[other]) for other in others]
    return Effect(key, best, means, tuple(comparisons), tuple(ranges))


_Samples = dict[tuple[tuple[str, ...], int], float]  # score by setting of the other keys, and seed


def _samples(key: str, variants: Sequence[Variant]) -> dict[str, _Samples]:
    """Scores by value of a key, for those settings of the others and seeds that all values have."""
    samples: dict[str, _Samples] = {}
    for variant in variants:
        rest = tuple(value for name, value in variant.values.items() if name != key)
        into = samples.setdefault(variant.values[key], {})
        into.update({(rest, seed): score for seed, score in variant.by_seed(MAIN).items()})
    common = set.intersection(*(set(found) for found in samples.values()))
    settings = {rest for rest, _ in common}
    seeds = {seed for _, seed in common}
    whole = {seed for seed in seeds if all((rest, seed) in common for rest in settings)}
    return {
        level: {place: found[place] for place in sorted(common) if place[1] in whole}
        for level, found in samples.items()
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
