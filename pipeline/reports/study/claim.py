"""Judges what an earlier report claimed by the runs at hand."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Literal

from pipeline.reports.study.definition import Artefact, Claim
from pipeline.reports.study.measures import MEASURES, Measure
from pipeline.reports.study.statistics import Difference, difference, paired_difference
from pipeline.reports.study.study_run import StudyRun
from pipeline.settings.as_typed import label

Outcome = Literal["reproduced", "reproduced in part", "not reproduced", "artefact", "not judged"]
_SMALL = 0.5  # share of a gap that may remain for it to count as gone


@dataclass(frozen=True)
class Judgement:
    """What became of a claim, and the numbers that say so."""

    outcome: Outcome
    because: str


@dataclass(frozen=True)
class _Pair:
    higher: str
    lower: str
    difference: Difference | None

    def told(self, measure: Measure, under: str = "") -> str:
        pair = f"{self.higher} against {self.lower}{under}"
        if self.difference is None:
            return f"{pair}: no seed in both"
        return f"{pair}: {told(self.difference, measure)}"


def told(found: Difference, measure: Measure) -> str:
    """A difference in words: `+0.012 [−0.010, +0.031], no difference shown`."""
    mean = measure.show(found.mean, signed=True)
    if found.interval is None:
        return f"{mean} (n={found.n}, too few seeds for an interval)"
    low, high = (measure.show(end, signed=True) for end in found.interval)
    none = "" if found.shown else ", no difference shown"
    return f"{mean} [{low}, {high}]{none}"


def judge(claim: Claim, runs: Sequence[StudyRun], varied: Sequence[str]) -> Judgement:
    """Compare each pair of values that a claim orders, under its conditions.

    Reproduced: every pair differs as claimed, its interval clear of 0. In part: some do, none the
    other way. Artefact: reproduced, but where the other cause is absent at most half of the gap
    remains, and the shrinking is itself clear of 0.

    Args:
        claim: what was said.
        runs: finished runs.
        varied: keys that differ between them.
    """
    measure = MEASURES[claim.measure]
    used = {run.params.get("dataset") for run in runs}
    if used != {claim.dataset}:
        return Judgement("not judged", f"the claim is about {claim.dataset}, not these data.")
    keys = [key for key in varied if key not in claim.under]
    if len(keys) != 1:
        return Judgement("not judged", "the claim is about one key, and these runs vary others.")
    pairs = _pairs(claim, runs, keys[0], claim.under, measure)
    words = f"{measure.title}, " + "; ".join(pair.told(measure) for pair in pairs)
    outcome = _outcome([pair.difference for pair in pairs])
    if outcome == "reproduced" and claim.artefact is not None:
        cause = _artefact(claim, claim.artefact, runs, keys[0], measure)
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


def _pairs(
    claim: Claim, runs: Sequence[StudyRun], key: str, under: Mapping[str, Any], measure: Measure
) -> list[_Pair]:
    found = []
    for higher, lower in claim.expects:
        first, second = (
            _by_seed(runs, {**under, key: value}, measure) for value in (higher, lower)
        )
        names = f"{key}={label(higher)}", f"{key}={label(lower)}"
        found.append(_Pair(*names, paired_difference(first, second)))
    return found


def _by_seed(
    runs: Sequence[StudyRun], settings: Mapping[str, Any], measure: Measure
) -> dict[int, float]:
    wanted = {key: label(value) for key, value in settings.items()}
    fitting = [run for run in runs if {k: label(run.params.get(k)) for k in wanted} == wanted]
    values = {run.seed: measure.of(run) for run in fitting}
    return {seed: value for seed, value in values.items() if value is not None}


def _artefact(
    claim: Claim, artefact: Artefact, runs: Sequence[StudyRun], key: str, measure: Measure
) -> str:
    """Why the first pair's gap is an artefact; empty when it is none."""
    higher, lower = claim.expects[0]
    gaps = []
    for under in (claim.under, artefact.under):
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
    where = " ".join(f"{name}={label(value)}" for name, value in artefact.under.items())
    return f"with {where} the gap is {told(after, measure)}: it came from {artefact.of}."
