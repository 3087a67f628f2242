"""The answer in plain words, made from the numbers alone."""

from dataclasses import dataclass

from pipeline.reports.study.analysis import Analysis, Comparison, Effect
from pipeline.reports.study.claim import Judgement, judge, told
from pipeline.reports.study.measures import MAIN
from pipeline.reports.study.reference import References
from pipeline.reports.study.statistics import FEWEST, Difference, difference
from pipeline.reports.study.variants import Variant

_NAMED = 3  # settings that a sentence names; of more it tells the number
_MANY_KEYS = 3  # from so many varied keys on, what each does says more than the best combination


@dataclass(frozen=True)
class Verdict:
    """What a study found.

    Attributes:
        headline: the answer in one sentence.
        points: what it rests on, a sentence each.
        judgement: of the earlier report's claim, if there was one.
    """

    headline: str
    points: tuple[str, ...]
    judgement: Judgement | None


def conclude(analysis: Analysis, baselines: References) -> Verdict:
    """Put an analysis into words."""
    study = analysis.gathered.study
    against = study is not None and study.against == "tfidf" and baselines.tfidf
    points = _comparison_points(analysis) + _effect_points(analysis.effects)
    if against:
        headline = _against_tfidf(analysis, baselines)
    else:
        headline = _headline_of_effects(analysis) or _headline(analysis)
        points += _baseline_points(analysis, baselines)
    points += _degenerate_points(analysis)
    runs = [run for variant in analysis.variants for run in variant.runs]
    judgement = None
    if study is not None and study.claim is not None:
        judgement = judge(study.claim, runs, analysis.gathered.varied)
    return Verdict(headline, tuple(points), judgement)


def _headline(analysis: Analysis) -> str:
    best, count = analysis.best, len(analysis.ranked)
    score = _score(best)
    if count == 1:
        return f"{best.name}: {score}."
    with_best = [c for c in analysis.comparisons if best.name in (c.first, c.second)]
    if any(c.difference.interval is None for c in with_best) or len(with_best) < count - 1:
        return (
            f"{best.name} has the highest mean, {score}, but there are too few seeds to say "
            f"how sure that is (fewer than {FEWEST})."
        )
    beaten = [c for c in with_best if c.verdict == "shown"]
    if len(beaten) == count - 1:
        return f"{best.name} is best: {score}, ahead of {_others(beaten, count)} {_by(beaten)}."
    likely = [c for c in with_best if c.verdict == "likely"]
    if not beaten and likely:
        return (
            f"{best.name} has the highest mean, {score}, likely but not clearly ahead of "
            f"{_list([c.second for c in likely])}."
        )
    if not beaten:
        return (
            f"No difference shown between {count} settings; {best.name} has the highest "
            f"mean, {score}."
        )
    level = [c.second for c in with_best if c.verdict != "shown"]
    return (
        f"{best.name} has the highest mean, {score}, clearly ahead of {_others(beaten, count)}; "
        f"against {_list(level)} no clear difference."
    )


def _headline_of_effects(analysis: Analysis) -> str | None:
    """What each of many keys does, the largest gain first, where that can be told."""
    if len(analysis.effects) < _MANY_KEYS:
        return None
    judged = _with_ranges(analysis.effects)
    telling = [(c, ends) for c, ends in judged if c.verdict in ("shown", "likely")]
    if not telling or any(c.difference.interval is None for c, _ in judged):
        return None
    telling.sort(key=lambda found: -found[0].difference.mean)
    ahead = _enumerated([_gain(comparison, ends) for comparison, ends in telling])
    silent = [
        effect.key
        for effect in analysis.effects
        if all(c.verdict == "no difference shown" for c in effect.comparisons)
    ]
    others = f"; of {_enumerated(silent)} no difference shown" if silent else ""
    return (
        f"Averaged over the other settings, {ahead}{others}. "
        f"The combination with the highest mean, {analysis.best.name}: {_score(analysis.best)}."
    )


def _gain(comparison: Comparison, ends: tuple[float, float]) -> str:
    """A clause; where the gain turns into a loss with other settings, it says so."""
    likely = "likely " if comparison.verdict == "likely" else ""
    gain = MAIN.show(comparison.difference.mean)
    ahead = f"{comparison.first} is {likely}ahead of {comparison.second} by {gain}"
    return ahead if ends[0] >= 0 else f"{ahead} ({_from_to(ends)}, depending on them)"


def _with_ranges(effects: tuple[Effect, ...]) -> list[tuple[Comparison, tuple[float, float]]]:
    """Each comparison of the effects, with its least and greatest mean."""
    return [
        found for effect in effects for found in zip(effect.comparisons, effect.ranges, strict=True)
    ]


def _from_to(ends: tuple[float, float]) -> str:
    return " to ".join(MAIN.show(end, signed=True) for end in ends)


def _score(variant: Variant) -> str:
    found = variant.estimate(MAIN)
    assert found is not None  # only ranked variants are told of
    return f"{MAIN.title} {MAIN.show(found.mean)}"


def _others(comparisons: list[Comparison], count: int) -> str:
    if len(comparisons) == count - 1 and count > 3:
        return f"all {count - 1} others"
    return _list([comparison.second for comparison in comparisons])


def _by(comparisons: list[Comparison]) -> str:
    gains = [comparison.difference.mean for comparison in comparisons]
    low, high = MAIN.show(min(gains)), MAIN.show(max(gains))
    return f"by {low}" if low == high else f"by {low} to {high}"


def _list(names: list[str]) -> str:
    return f"{len(names)} others" if len(names) > _NAMED else _enumerated(names)


def _enumerated(names: list[str]) -> str:
    return names[0] if len(names) == 1 else f"{', '.join(names[:-1])} and {names[-1]}"


def _comparison_points(analysis: Analysis) -> list[str]:
    points = [
        f"{c.first} against {c.second}: {told(c.difference, MAIN)}{_caution(c)}."
        for c in analysis.comparisons[:_NAMED]
        if c.difference.interval is not None
    ]
    more = len(analysis.comparisons) - _NAMED
    return [*points, f"{more} more comparisons are in the table."] if more > 0 else points


def _caution(comparison: Comparison) -> str:
    if comparison.verdict != "likely":
        return ""
    return ", likely, though not sure among so many comparisons"


def _effect_points(effects: tuple[Effect, ...]) -> list[str]:
    return [
        f"{comparison.first} against {comparison.second}, averaged over the other settings: "
        f"{told(comparison.difference, MAIN)}{_caution(comparison)}; "
        f"from {_from_to(ends)} depending on them."
        for comparison, ends in _with_ranges(effects)
    ]


def beyond(variant: Variant, baseline: float) -> Difference | None:
    """How far a variant's runs lie above a fixed score; None when it has no run."""
    samples = variant.by_seed(MAIN).values()
    return difference([sample - baseline for sample in samples]) if samples else None


def _baseline_points(analysis: Analysis, baselines: References) -> list[str]:
    best, points = analysis.best, []
    for name, scores in (("TF-IDF", baselines.tfidf), ("the majority class", baselines.majority)):
        if best.name in scores and (found := beyond(best, scores[best.name].f1_macro)) is not None:
            points.append(
                f"{best.name} against {name} ({MAIN.show(scores[best.name].f1_macro)}): "
                f"{told(found, MAIN)}."
            )
    return points


def _against_tfidf(analysis: Analysis, baselines: References) -> str:
    """One clause for each variant: above, below, or neither."""
    clauses = []
    for variant in analysis.variants:
        score = baselines.tfidf[variant.name].f1_macro
        found = beyond(variant, score)
        if found is None:
            continue
        if found.interval is None:
            word = "too few seeds to say against"
        elif not found.shown:
            word = "no difference shown against"
        else:
            word = "beats" if found.mean > 0 else "stays below"
        clauses.append(
            f"{variant.name} {word} TF-IDF ({_score(variant)} against {MAIN.show(score)}, "
            f"{MAIN.show(found.mean, signed=True)})"
        )
    return "; ".join(clauses) + "."


def _degenerate_points(analysis: Analysis) -> list[str]:
    found = [
        f"{variant.name} ({len(variant.degenerate)} of {len(variant.runs)})"
        for variant in analysis.variants
        if variant.degenerate
    ]
    return [f"Runs that predict (nearly) one class only: {', '.join(found)}."] if found else []
