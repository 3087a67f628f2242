"""The answer of a study in plain words, derived from the numbers alone."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from pipeline.reports.drawing.pages import capitalized
from pipeline.reports.study.claim_judgement import Judgement, in_words, judge
from pipeline.reports.study.reference import References, baseline_scores
from pipeline.reports.study.setting_comparison import Analysis, Comparison, Effect
from pipeline.reports.study.statistics import FEWEST, Difference, difference
from pipeline.reports.study.study_run import Measure
from pipeline.reports.study.variants import Setting, Variant
from pipeline.tasks import task_named

_NAMED = 3  # settings that a sentence names; of more it gives the number
_MANY_KEYS = 3  # from this many varied keys on, the largest effect says more than the best setting


@dataclass(frozen=True)
class Verdict:
    """The conclusion of a study."""

    headline: str  # the answer in one sentence
    selection: str  # one sentence that defines `best`; empty if there is one setting
    points: tuple[str, ...]  # the supporting findings, one sentence each
    judgement: Judgement | None  # the judgement of the earlier report's claim, if there is one


def conclude(analysis: Analysis, baselines: References) -> Verdict:
    """Formulate the conclusion of an analysis."""
    study = analysis.gathered.study
    points = _comparison_points(analysis) + _effect_points(analysis.effects, analysis.main)
    tfidf = baseline_scores(baselines, analysis.main).get("TF-IDF")
    if study is not None and study.against == "tfidf" and tfidf:
        headline = _against_tfidf(analysis, tfidf)
    else:
        headline = _headline_of_effects(analysis) or _headline(analysis)
        points += _baseline_points(analysis, baselines)
    points += _degenerate_points(analysis)
    runs = [run for variant in analysis.variants for run in variant.runs]
    judgement = judge(study, runs, analysis.gathered.varied) if study is not None else None
    return Verdict(capitalized(headline), _selection(analysis), tuple(points), judgement)


def _selection(analysis: Analysis) -> str:
    """Return which score selected the best setting, or why none did."""
    if len(analysis.ranked) == 1:
        return ""
    selection = analysis.selection
    if analysis.best is None:
        runs = [run for variant in analysis.ranked for run in variant.runs]
        lacking = sum(selection.of(run) is None for run in runs)
        return (
            f"No setting is called best: {lacking} of {len(runs)} runs, made by an earlier "
            f"version, have no {selection.title}, and a selection on the test set would flatter "
            "its own score."
        )
    found = analysis.best.estimate(selection)
    assert found is not None  # all runs have it, otherwise there is no best
    return (
        f"Best is the setting with the {'lowest' if selection.least else 'highest'} mean "
        f"{selection.title} ({selection.show(found.mean)} over {_seeds(analysis.best)}); the test "
        "set plays no part in the selection. "
        f"{_reported(analysis.main)}"
    )


def _reported(main: Measure) -> str:
    """Return which data the numbers of the answer are from."""
    if not main.score:
        return f"All numbers in the answer are the {main.title}."
    return "All scores and differences in the answer are on the test set."


def _seeds(variant: Variant) -> str:
    count = len(variant.runs)
    return "1 seed" if count == 1 else f"{count} seeds"


def _headline(analysis: Analysis) -> str:
    best, count, main = analysis.best, len(analysis.ranked), analysis.main
    if count == 1:
        return f"{analysis.ranked[0].setting.words}: {_score(analysis.ranked[0], main)}."
    if best is None:
        return _headline_without_best(analysis)
    with_best = [c for c in analysis.comparisons if c.first == best.setting]
    subject, score = best.setting.subject, _score(best, main)
    if any(c.difference.interval is None for c in with_best) or len(with_best) < count - 1:
        return (
            f"{subject} is best on validation: {score}; fewer than {FEWEST} seeds are too few to "
            "say how sure that is."
        )
    ahead, behind, likely, level = _sides(with_best)
    if len(ahead) == count - 1:
        return f"{subject} is best: {score}, ahead of {_list(ahead, count)} {_by(with_best, main)}."
    if behind:
        return (
            f"{subject} is best on validation, but on the test set {_list(behind, count)} "
            f"{'is' if len(behind) == 1 else 'are'} ahead of it: {score}."
        )
    if ahead:
        unclear = _list([*likely, *level], count)
        return (
            f"{subject} is best on validation: {score}, clearly ahead of {_list(ahead, count)}; "
            f"no clear difference from {unclear}."
        )
    if likely:
        return (
            f"{subject} is best on validation: {score}, likely but not clearly ahead of "
            f"{_list(likely, count)}."
        )
    return (
        f"no difference shown between {count} settings; best on validation: {_named(best, main)}."
    )


def _sides(with_best: Sequence[Comparison]) -> tuple[list[Setting], ...]:
    """Return the settings that the best is ahead of, behind, likely ahead of, and level with."""
    ahead = [c.second for c in with_best if c.verdict == "shown" and c.lead > 0]
    behind = [c.second for c in with_best if c.verdict == "shown" and c.lead < 0]
    likely = [c.second for c in with_best if c.verdict == "likely" and c.lead > 0]
    known = {*ahead, *behind, *likely}
    return ahead, behind, likely, [c.second for c in with_best if c.second not in known]


def _headline_without_best(analysis: Analysis) -> str:
    """Return the scores side by side, if no setting can be called best."""
    ranked, main = analysis.ranked, analysis.main
    if len(ranked) > _NAMED:
        ranked = (ranked[0], ranked[-1])
    scores = _enumerated(
        [f"{main.show(_mean(one, main))} for {one.setting.words}" for one in ranked]
    )
    if len(ranked) < len(analysis.ranked):
        scores = f"between {scores}, of {len(analysis.ranked)} settings"
    if all(c.verdict == "no difference shown" for c in analysis.comparisons):
        return (
            f"no difference shown between {len(analysis.ranked)} settings; {main.title} {scores}."
        )
    return f"{main.title}: {scores}."


def _headline_of_effects(analysis: Analysis) -> str | None:
    """Return the largest effect of many keys, if one is shown, and the best setting."""
    if len(analysis.effects) < _MANY_KEYS:
        return None
    judged = _with_ranges(analysis.effects)
    telling = [(c, ends) for c, ends in judged if c.verdict in ("shown", "likely")]
    if not telling or any(c.difference.interval is None for c, _ in judged):
        return None
    comparison, ends = max(telling, key=lambda found: abs(found[0].difference.mean))
    words = (
        f"averaged over the other settings, {_gain(comparison, ends, analysis.main)}, "
        f"{'the largest effect' if len(telling) > 1 else 'the only effect shown'}"
    )
    return (
        f"{words}; best on validation: {_named(analysis.best, analysis.main)}."
        if analysis.best
        else f"{words}."
    )


def _gain(comparison: Comparison, ends: tuple[float, float], main: Measure) -> str:
    """Return a clause on the gain, and on its reversal in other settings if there is one."""
    likely = "likely " if comparison.verdict == "likely" else ""
    gain = main.show(abs(comparison.lead))
    ahead = f"{comparison.better.words} is {likely}ahead of {comparison.worse.words} by {gain}"
    low, high = ends if comparison.difference.mean >= 0 else (-ends[1], -ends[0])
    if low >= 0:
        return ahead
    gains = (-high, -low) if main.least else (low, high)
    return f"{ahead} ({_from_to(gains, main)}, depending on them)"


def _with_ranges(effects: tuple[Effect, ...]) -> list[tuple[Comparison, tuple[float, float]]]:
    """Pair each comparison of the effects with its smallest and largest mean."""
    return [
        found for effect in effects for found in zip(effect.comparisons, effect.ranges, strict=True)
    ]


def _from_to(ends: tuple[float, float], main: Measure) -> str:
    return " to ".join(main.show(end, signed=True) for end in ends)


def _mean(variant: Variant, main: Measure) -> float:
    found = variant.estimate(main)
    assert found is not None  # called for ranked variants only
    return found.mean


def _score(variant: Variant, main: Measure) -> str:
    return f"{main.title} {main.show(_mean(variant, main))}"


def _named(variant: Variant, main: Measure) -> str:
    return f"{variant.setting.words}, {_score(variant, main)}"


def _by(comparisons: Sequence[Comparison], main: Measure) -> str:
    gains = [comparison.lead for comparison in comparisons]
    low, high = main.show(min(gains)), main.show(max(gains))
    return f"by {low}" if low == high else f"by {low} to {high}"


def _list(settings: Sequence[Setting], count: int) -> str:
    """Name the settings; give the number of many, and `all 4 others` for all but one."""
    if len(settings) == count - 1 and count - 1 > _NAMED:
        return f"all {count - 1} others"
    if len(settings) > _NAMED:
        return f"{len(settings)} others"
    return _enumerated([setting.subject for setting in settings])


def _enumerated(names: Sequence[str]) -> str:
    return names[0] if len(names) == 1 else f"{', '.join(names[:-1])} and {names[-1]}"


def _comparison_points(analysis: Analysis) -> list[str]:
    points = [
        capitalized(f"{_against(c)}: {in_words(c.difference, analysis.main)}{_caution(c)}.")
        for c in analysis.comparisons[:_NAMED]
        if c.difference.interval is not None
    ]
    more = len(analysis.comparisons) - _NAMED
    return [*points, f"{more} more comparisons are in the table."] if more > 0 else points


def _against(comparison: Comparison) -> str:
    return f"{comparison.first.words} against {comparison.second.words}"


def _caution(comparison: Comparison) -> str:
    if comparison.verdict != "likely":
        return ""
    return ", likely, but not certain among so many comparisons"


def _effect_points(effects: tuple[Effect, ...], main: Measure) -> list[str]:
    return [
        capitalized(
            f"{_against(comparison)}, averaged over the other settings: "
            f"{in_words(comparison.difference, main)}{_caution(comparison)}; "
            f"from {_from_to(ends, main)} depending on them."
        )
        for comparison, ends in _with_ranges(effects)
    ]


def beyond(variant: Variant, baseline: float, main: Measure) -> Difference | None:
    """Return how far a variant's runs are above a fixed score; None if it has no run."""
    samples = variant.by_seed(main).values()
    return difference([sample - baseline for sample in samples]) if samples else None


def _baseline_points(analysis: Analysis, baselines: References) -> list[str]:
    """Compare the best (or only) setting with each baseline."""
    variant, main = analysis.best or analysis.ranked[0], analysis.main
    if analysis.best is None and len(analysis.ranked) > 1:
        return []
    points = []
    for name, scores in reversed(baseline_scores(baselines, main).items()):
        if variant.setting not in scores:
            continue
        score = scores[variant.setting]
        if (found := beyond(variant, score, main)) is not None:
            the = name if name == "TF-IDF" else f"the {name}"
            against = f"{variant.setting.words} against {the} ({main.show(score)})"
            points.append(capitalized(f"{against}: {in_words(found, main)}."))
    return points


def _against_tfidf(analysis: Analysis, tfidf: Mapping[Setting, float]) -> str:
    """Return both scores per variant, and whether the difference is shown."""
    clauses, main = [], analysis.main
    for variant in analysis.variants:
        baseline = tfidf.get(variant.setting)
        if baseline is None or (found := beyond(variant, baseline, main)) is None:
            continue
        scores = f"{main.show(_mean(variant, main))} against {main.show(baseline)}"
        clauses.append(f"{scores} with {variant.setting.words} ({_compared(found, main)})")
    return f"{main.title} against that of TF-IDF: {'; '.join(clauses)}."


def _compared(found: Difference, main: Measure) -> str:
    if found.interval is None:
        return "too few seeds"
    if not found.shown:
        return "no difference shown"
    return "better" if (found.mean > 0) is not main.least else "worse"


def _degenerate_points(analysis: Analysis) -> list[str]:
    found = [
        f"{variant.setting.words} ({len(variant.degenerate)} of {len(variant.runs)})"
        for variant in analysis.variants
        if variant.degenerate
    ]
    if not found:
        return []
    words = task_named(analysis.task).degenerate.replace("nearly", "(nearly)")
    return [f"Runs that predict {words} only: {'; '.join(found)}."]
