"""What stands on a report's page, before it becomes HTML or Markdown."""

from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass

from pipeline.reports.study import tables
from pipeline.reports.study.analysis import Analysis
from pipeline.reports.study.definition import Claim
from pipeline.reports.study.gathering import Gathered
from pipeline.reports.study.measures import MAIN
from pipeline.reports.study.provenance import Provenance
from pipeline.reports.study.reference import References
from pipeline.reports.study.statistics import FEWEST
from pipeline.reports.study.study_run import StudyRun
from pipeline.reports.study.verdict import Verdict
from pipeline.settings.as_typed import label
from pipeline.tracking import names

_METHOD = (
    "Each difference is taken between runs with the same seed. Its interval is the wider, on each "
    "side, of a bootstrap (BCa, 9,999 resamples) and Student's t: with few seeds the bootstrap "
    "alone is too narrow. Where it covers 0, no difference is shown; p is of the paired t test, "
    "adjusted for the number of comparisons (Holm), and below 0.05 where a difference is called "
    "shown."
)

_TIMING = (
    "Seconds on the clock from a run's start to its checked end (data, training, predictions, "
    "storing and parity), as the mean over seeds; on the machine named below, with whatever else "
    "it was doing, so only large ratios mean something."
)


@dataclass(frozen=True)
class Page:
    """Every word and number of a report."""

    question: str
    subtitle: str
    verdict: Verdict
    claim: Claim | None
    warnings: list[str]
    best: str
    baselines: str
    scores: list[tables.Row]
    comparisons: list[tables.Row]
    method: str
    overfitting: list[tables.Row]
    cost: list[tables.Row]
    timing: str
    parity: str
    runs: list[tables.Row]
    left_out: list[str]
    provenance: Provenance


def compose_page(
    analysis: Analysis,
    verdict: Verdict,
    baselines: References,
    made: Provenance,
    mixed: list[str],
) -> Page:
    """Put everything into words.

    Args:
        analysis: the numbers.
        verdict: what they say.
        baselines: what they are held beside.
        made: how the runs were made.
        mixed: in what the runs differ that should be the same, if they were put together anyway.
    """
    gathered, variants = analysis.gathered, analysis.variants
    finished = [run for variant in variants for run in variant.runs]
    study = gathered.study
    return Page(
        question=study.question if study else f"What do the runs of {gathered.title} show?",
        subtitle=_subtitle(analysis),
        verdict=verdict,
        claim=study.claim if study else None,
        warnings=_warnings(analysis, mixed),
        best=analysis.best.name,
        baselines=_baselines(baselines),
        scores=tables.score_rows(variants),
        comparisons=tables.comparison_rows(analysis),
        method=_METHOD,
        overfitting=tables.overfitting_rows(variants),
        cost=tables.cost_rows(variants),
        timing=_TIMING,
        parity=parity_sentence(finished),
        runs=tables.run_rows(gathered.runs, gathered.varied),
        left_out=left_out(gathered),
        provenance=made,
    )


def _subtitle(analysis: Analysis) -> str:
    first = analysis.variants[0].runs[0]
    counts = analysis.seeds
    seeds = f"{counts[0]} to {counts[-1]} seeds" if len(counts) > 1 else f"{counts[0]} seeds"
    seeds = "1 seed" if counts == [1] else seeds
    varied = ", ".join(analysis.gathered.varied) or "nothing but the seed"
    data = first.params.get("dataset", "unknown data")
    synthetic = " (synthetic)" if first.tags.get(names.DATA_SYNTHETIC) == "True" else ""
    return f"Varied: {varied}. n = {seeds} a setting. Data: {data}{synthetic}."


def _warnings(analysis: Analysis, mixed: list[str]) -> list[str]:
    finished = [run for variant in analysis.variants for run in variant.runs]
    warnings = [f"Put together although {sentence}" for sentence in mixed]
    if min(analysis.seeds) < FEWEST:
        warnings.append(
            f"Some settings have fewer than {FEWEST} seeds: for those there is no interval."
        )
    if any(run.tags.get(names.GIT_DIRTY) == "True" for run in finished):
        warnings.append("The code had changes that were not committed.")
    failing = [run for run in finished if run.tags.get(names.PARITY) not in ("exact", "close")]
    if failing:
        warnings.append(f"{len(failing)} of {len(finished)} runs did not pass the parity check.")
    if lines := left_out(analysis.gathered):
        warnings.append(f"Not everything is counted: {len(lines)} remarks under “Left out”.")
    return warnings


def _baselines(baselines: References) -> str:
    words = []
    for scores in (baselines.majority, baselines.tfidf):
        different = {(round(b.f1_macro, 6), round(b.accuracy, 6)) for b in scores.values()}
        if len(different) == 1:
            found = next(iter(scores.values()))
            words.append(
                f"{found.name[0].upper()}{found.name[1:]}: {MAIN.title} "
                f"{MAIN.show(found.f1_macro)}, accuracy {found.accuracy:.3f}."
            )
        elif different:
            each = "; ".join(
                f"{name} {MAIN.show(found.f1_macro)}, accuracy {found.accuracy:.3f}"
                for name, found in scores.items()
            )
            words.append(f"{next(iter(scores.values())).name}, {MAIN.title} by setting: {each}.")
    return " ".join([*words, *baselines.remarks])


def parity_sentence(runs: list[StudyRun]) -> str:
    """How many runs NumPy's forward pass agrees with, and how closely."""
    tags = Counter(run.tags.get(names.PARITY, "not checked") for run in runs)
    counted = ", ".join(f"{count} {tag}" for tag, count in tags.most_common())
    differences = [run.metrics.get(names.PARITY_MAX_ABS_DIFF) for run in runs]
    known = [difference for difference in differences if difference is not None]
    if not known:
        return f"{counted}."
    return f"{counted}; the largest difference of any probability is {max(known):.1e}."


def left_out(gathered: Gathered) -> list[str]:
    """A sentence for each run that is missing, failed, stale or superseded."""
    lines = [f"{_named(job, gathered)}: no run was found." for job in gathered.missing]
    if gathered.lost:
        lines.append(f"{gathered.lost} jobs of the sweep left no run.")
    for run in gathered.runs:
        if not run.finished:
            why = f": {run.tags[names.ERROR]}" if names.ERROR in run.tags else ""
            lines.append(f"{run.name} ended {run.status}{why}; it is not counted.")
        elif run.tags.get(names.PARITY) == "stale":
            why = run.tags.get(names.PARITY_REASON, "unknown why")
            lines.append(f"{run.name} is counted, but stale: {why}")
    if gathered.superseded:
        repeated = ", ".join(dict.fromkeys(run.name for run in gathered.superseded))
        lines.append(f"Runs repeated later with the same settings, not counted: {repeated}.")
    return lines


def _named(job: Mapping[str, str], gathered: Gathered) -> str:
    keys = [*gathered.varied, "seed"]
    return " ".join(f"{key}={label(job.get(key))}" for key in keys)
