"""The content of a report's page, before it is rendered as HTML or Markdown."""

from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass

from pipeline.reports.drawing.pages import Table, capitalized
from pipeline.reports.study import tables
from pipeline.reports.study.definition import Claim
from pipeline.reports.study.gathering import Gathered
from pipeline.reports.study.provenance import Provenance
from pipeline.reports.study.reference import References
from pipeline.reports.study.setting_comparison import Analysis
from pipeline.reports.study.statistics import FEWEST
from pipeline.reports.study.study_run import Measure, StudyRun
from pipeline.reports.study.variants import setting_of, values_in
from pipeline.reports.study.verdict_wording import Verdict
from pipeline.settings.scores import SCORES
from pipeline.tasks import task_named
from pipeline.tasks.baselines import Baseline
from pipeline.tracking import names
from pipeline.tracking.attempts import ACCEPTED, UNCHECKED

_METHOD = (
    "Each difference is taken between runs with the same seed. Its interval is the wider, on each "
    "side, of a bootstrap (BCa, 9,999 resamples) and Student's t: with few seeds the bootstrap "
    "alone is too narrow. Where the interval covers 0, no difference is shown; p is of the paired "
    "t test, adjusted for the number of comparisons (Holm), and a difference is called shown where "
    "p is below 0.05."
)

_TIMING = (
    "Seconds on the clock from the start of a run to the end of its check (data, training, "
    "predictions, storing and parity), mean over seeds, on the machine named below under whatever "
    "other load it had: only large ratios are meaningful."
)


@dataclass(frozen=True)
class StudyPage:
    """All text and numbers of a report."""

    question: str
    subtitle: str
    verdict: Verdict
    claim: Claim | None
    warnings: list[str]
    baselines: str
    scores: Table
    comparisons: Table
    method: str
    overfitting: Table
    cost: Table
    timing: str
    parity: str
    runs: Table
    left_out: list[str]
    provenance: Provenance


def compose_study_page(
    analysis: Analysis, verdict: Verdict, baselines: References, made: Provenance, mixed: list[str]
) -> StudyPage:
    """Compose the content of a report.

    Args:
        mixed: how the runs differ in what should be the same, if they were combined anyway.
    """
    gathered, variants = analysis.gathered, analysis.variants
    finished = [run for variant in variants for run in variant.runs]
    study = gathered.study
    return StudyPage(
        question=study.question if study else f"What do the runs of {gathered.title} show?",
        subtitle=_subtitle(analysis),
        verdict=verdict,
        claim=study.claim if study else None,
        warnings=_warnings(analysis, mixed),
        baselines=_baselines(baselines, analysis.main),
        scores=tables.score_table(analysis),
        comparisons=tables.comparison_table(analysis),
        method=_METHOD,
        overfitting=tables.overfitting_table(variants),
        cost=tables.cost_table(variants),
        timing=_TIMING,
        parity=parity_sentence(finished),
        runs=tables.run_table(gathered.runs, gathered.varied, analysis.task),
        left_out=left_out(gathered),
        provenance=made,
    )


def _subtitle(analysis: Analysis) -> str:
    first = analysis.variants[0].runs[0]
    counts = analysis.seeds
    seeds = f"{counts[0]} to {counts[-1]} seeds" if len(counts) > 1 else f"{counts[0]} seeds"
    seeds = "1 seed" if counts == [1] else seeds
    varied = ", ".join(key.replace("_", " ") for key in analysis.gathered.varied)
    data = first.params.get("dataset", "unknown data")
    synthetic = " (synthetic)" if first.tags.get(names.DATA_SYNTHETIC) == "True" else ""
    return f"Varied: {varied or 'only the seed'}. {seeds} per setting. Data: {data}{synthetic}."


def _warnings(analysis: Analysis, mixed: list[str]) -> list[str]:
    finished = [run for variant in analysis.variants for run in variant.runs]
    warnings = [f"Combined although {sentence}" for sentence in mixed]
    if min(analysis.seeds) < FEWEST:
        warnings.append(f"Settings with fewer than {FEWEST} seeds have no interval.")
    if any(run.tags.get(names.GIT_DIRTY) == "True" for run in finished):
        warnings.append("The code had changes that were not committed.")
    tags = [run.tags.get(names.PARITY) for run in finished]
    if failing := sum(tag not in ACCEPTED for tag in tags):
        warnings.append(f"{failing} of {len(finished)} runs did not pass the parity check.")
    if unchecked := sum(tag in UNCHECKED for tag in tags):
        warnings.append(f"{unchecked} of {len(finished)} runs were not checked against NumPy.")
    if lines := left_out(analysis.gathered):
        warnings.append(f"Not everything is counted: {len(lines)} remarks under “Left out”.")
    return warnings


def _baselines(baselines: References, main: Measure) -> str:
    words = []
    for scores in (baselines.majority, baselines.tfidf):
        shown = {setting: _scores_of(one, main) for setting, one in scores.items()}
        if not any(shown.values()):
            continue
        found = next(iter(scores.values()))
        name = capitalized(found.name)
        if len(set(shown.values())) == 1:
            words.append(f"{name}: {main.title} {next(iter(shown.values()))}.")
        else:
            each = "; ".join(f"{setting.words} {told}" for setting, told in shown.items())
            words.append(f"{name}, {main.title} by setting: {each}.")
    return " ".join([*words, *baselines.remarks])


def _scores_of(baseline: Baseline, main: Measure) -> str:
    """Return the main measure and the other scores of a baseline; "" without the main measure."""
    if main.score not in baseline.scores:
        return ""
    others = [
        f"{SCORES[name].title} {value:.3f}"
        for name, value in baseline.scores.items()
        if name != main.score
    ]
    return ", ".join([main.show(baseline.scores[main.score]), *others])


def parity_sentence(runs: list[StudyRun]) -> str:
    """Return how many runs agree with NumPy's forward pass, and how closely."""
    tags = Counter(run.tags.get(names.PARITY, "not checked") for run in runs)
    counted = ", ".join(f"{count} {tag}" for tag, count in tags.most_common())
    differences = [run.metrics.get(names.PARITY_MAX_ABS_DIFF) for run in runs]
    known = [difference for difference in differences if difference is not None]
    if not known:
        return f"{counted}."
    value = task_named(runs[0].task).value
    return f"{counted}; the largest difference of any {value} is {max(known):.1e}."


def left_out(gathered: Gathered) -> list[str]:
    """Return one sentence per missing, failed, stale or superseded run."""
    lines = [f"{_named(job, gathered)}: no run was found." for job in gathered.missing]
    if gathered.lost:
        lines.append(f"{gathered.lost} jobs of the sweep left no run.")
    for run in gathered.runs:
        name = _named(run.params, gathered)
        if not run.finished:
            why = f": {run.tags[names.ERROR]}" if names.ERROR in run.tags else ""
            lines.append(f"{name} ended {run.status}{why}; it is not counted.")
        elif run.tags.get(names.PARITY) == "stale":
            why = run.tags.get(names.PARITY_REASON, "unknown why")
            lines.append(f"{name} is counted, but stale: {why}")
    if gathered.superseded:
        repeated = dict.fromkeys(_named(run.params, gathered) for run in gathered.superseded)
        lines.append(
            f"Earlier runs of settings that were run again, not counted: {'; '.join(repeated)}."
        )
    return lines


def _named(params: Mapping[str, str], gathered: Gathered) -> str:
    """Name a job: `64 units, seed 3`."""
    keys = [*gathered.varied, "seed"]
    values = dict(zip(keys, values_in(params, keys), strict=True))
    return setting_of(values, gathered.study).words
