"""Judges the claim of an earlier report by the present runs."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Literal

from pipeline.reports.study.definition import Artefact, Study
from pipeline.reports.study.statistics import Difference, difference, paired_difference
from pipeline.reports.study.study_run import STUDY_MEASURES, Measure, StudyRun
from pipeline.reports.study.variants import Setting, setting_of
from pipeline.settings.as_typed import label

Outcome = Literal["reproduced", "reproduced in part", "not reproduced", "artefact", "not judged"]
_SMALL = 0.5  # share of a gap that may remain for it to count as gone


@dataclass(frozen=True)
class Judgement:
    """The outcome for a claim, and the numbers behind it."""

    outcome: Outcome
    because: str


@dataclass(frozen=True)
class _Pair:
    higher: Setting
    lower: Setting
    difference: Difference | None

    def in_words(self, measure: Measure) -> str:
        pair = f"{self.higher.words} against {self.lower.words}"
        if self.difference is None:
            return f"{pair}: no seed in both"
        return f"{pair}: {in_words(self.difference, measure)}"


def with_interval(found: Difference, measure: Measure) -> str:
    """Format a difference with its interval: `+0.012 [−0.010, +0.031]`."""
    mean = measure.show(found.mean, signed=True)
    if found.interval is None:
        return f"{mean} (n={found.n}, too few seeds for an interval)"
    low, high = (measure.show(end, signed=True) for end in found.interval)
    return f"{mean} [{low}, {high}]"


def in_words(found: Difference, measure: Measure) -> str:
    """Format a difference and its verdict: `+0.012 [−0.010, +0.031], no difference shown`."""
    unclear = found.interval is not None and not found.shown
    return with_interval(found, measure) + (", no difference shown" if unclear else "")


def judge(study: Study, runs: Sequence[StudyRun], varied: Sequence[str]) -> Judgement | None:
    """Compare each pair of values that a study's claim orders, under its conditions.

    Reproduced: every pair differs as claimed, and its interval excludes 0. In part: some pairs do,
    and none differs the other way. Artefact: reproduced, but without the other cause at most half
    of the gap remains, and the interval of that reduction excludes 0.

    Args:
        study: the study; returns None if it has no claim.
    """
    claim = study.claim
    if claim is None:
        return None
    measure = STUDY_MEASURES[claim.measure]
    used = {run.params.get("dataset") for run in runs}
    if used != {claim.dataset}:
        return Judgement("not judged", f"the claim is about {claim.dataset}, not these data.")
    keys = [key for key in varied if key not in claim.under]
    if len(keys) != 1:
        return Judgement("not judged", "the claim is about one key, and these runs vary others.")
    pairs = [_pair(study, runs, keys[0], values, claim.under, measure) for values in claim.expects]
    words = f"{measure.title}, " + "; ".join(pair.in_words(measure) for pair in pairs)
    outcome = _outcome([pair.difference for pair in pairs])
    if outcome == "reproduced" and claim.artefact is not None:
        cause = _artefact(study, claim.artefact, runs, keys[0], measure)
        if cause:
            return Judgement("artefact", f"{words}; but {cause}")
    return Judgement(outcome, f"{words}.")


def _outcome(found: Sequence[Difference | None]) -> Outcome:
    known = [one for one in found if one is not None and one.interval is not None]
    if len(known) < len(found):
        return "not judged"
    as_claimed = [one.shown and one.mean > 0 for one in known]
    opposite = [one.shown and one.mean < 0 for one in known]
    if all(as_claimed):
        return "reproduced"
    return "reproduced in part" if any(as_claimed) and not any(opposite) else "not reproduced"


def _pair(
    study: Study,
    runs: Sequence[StudyRun],
    key: str,
    values: tuple[Any, Any],
    under: Mapping[str, Any],
    measure: Measure,
) -> _Pair:
    first, second = (_by_seed(runs, {**under, key: value}, measure) for value in values)
    higher, lower = (setting_of({key: label(value)}, study) for value in values)
    return _Pair(higher, lower, paired_difference(first, second))


def _by_seed(
    runs: Sequence[StudyRun], settings: Mapping[str, Any], measure: Measure
) -> dict[int, float]:
    wanted = {key: label(value) for key, value in settings.items()}
    return measure.by_seed(
        run for run in runs if {key: label(run.params.get(key)) for key in wanted} == wanted
    )


def _artefact(
    study: Study, artefact: Artefact, runs: Sequence[StudyRun], key: str, measure: Measure
) -> str:
    """Return why the gap of the first pair is an artefact; "" if it is not."""
    assert study.claim is not None
    higher, lower = study.claim.expects[0]
    gaps = []
    for under in (study.claim.under, artefact.under):
        first = _by_seed(runs, {**under, key: higher}, measure)
        second = _by_seed(runs, {**under, key: lower}, measure)
        gaps.append({seed: first[seed] - second[seed] for seed in first.keys() & second.keys()})
    seeds = sorted(gaps[0].keys() & gaps[1].keys())
    if not seeds:
        return ""
    before = difference([gaps[0][seed] for seed in seeds])
    after = difference([gaps[1][seed] for seed in seeds])
    shrunk = difference([gaps[0][seed] - gaps[1][seed] for seed in seeds])
    if not shrunk.shown or shrunk.mean < 0 or after.mean > _SMALL * before.mean:
        return ""
    where = setting_of({name: label(value) for name, value in artefact.under.items()}, study).words
    return f"with {where} the gap is {in_words(after, measure)}: it came from {artefact.of}."
