"""The numbers of a report as tables, for the page and for CSV files."""

import csv
import io
import math
from collections.abc import Sequence
from statistics import fmean
from typing import Any

from pipeline.reports.drawing.pages import Table, number
from pipeline.reports.study.claim_judgement import with_interval
from pipeline.reports.study.setting_comparison import Analysis
from pipeline.reports.study.study_run import (
    STUDY_MEASURES,
    Measure,
    StudyRun,
    file_measures,
    table_measures,
)
from pipeline.reports.study.variants import Variant, values_in
from pipeline.tasks import task_named
from pipeline.tracking import names

_EPOCHS = (STUDY_MEASURES["best_epoch"], STUDY_MEASURES["overfits_after"])
_COST = (STUDY_MEASURES["parameters"], STUDY_MEASURES["seconds"])


def score_table(analysis: Analysis) -> Table:
    """Return one row per setting: mean and interval of each score; the best one is marked."""
    variants = analysis.variants
    shown = [analysis.selection, analysis.main]
    shown += [STUDY_MEASURES[name] for name in table_measures(analysis.task)]
    measures = list({measure.title: measure for measure in shown}.values())
    return Table(
        [*_keys(variants), "n", *(measure.title for measure in measures)],
        [
            [*_values(one), str(len(one.runs)), *(mean_and_interval(one, m) for m in measures)]
            for one in variants
        ],
        marked=variants.index(analysis.best) if analysis.best else None,
    )


def _keys(variants: Sequence[Variant]) -> tuple[str, ...]:
    return variants[0].setting.keys or ("setting",)


def _values(variant: Variant) -> tuple[str, ...]:
    return variant.setting.values or (variant.setting.words,)


def mean_and_interval(variant: Variant, measure: Measure) -> str:
    """Format `0.712 [0.690, 0.733]`, without interval below 3 seeds; for epochs, the range."""
    found = variant.estimate(measure)
    if found is None:
        return "–"
    mean = measure.show(found.mean)
    if measure in _EPOCHS:
        samples = variant.by_seed(measure).values()
        least, most = min(samples), max(samples)
        return f"{least:.0f}" if least == most else f"{mean} ({least:.0f} to {most:.0f})"
    if found.interval is None or measure in _COST:
        return mean
    low, high = (measure.show(end) for end in found.interval)
    return f"{mean} [{low}, {high}]"


def overfitting_table(variants: Sequence[Variant]) -> Table:
    """Return one row per setting: how many seeds overfit, after which epoch, by how much."""
    columns = (
        *(*_keys(variants), "overfits", "after epoch"),
        *("least validation loss", "validation loss at the end"),
    )
    return Table(columns, [[*_values(one), *_overfitting(one)] for one in variants])


def _overfitting(variant: Variant) -> list[str]:
    onset = variant.by_seed(STUDY_MEASURES["overfits_after"])
    ends = [curve[-1] for run in variant.runs if (curve := run.curves.get(names.LOSS_VALIDATION))]
    return [
        f"{len(onset)} of {len(variant.runs)} seeds",
        mean_and_interval(variant, STUDY_MEASURES["overfits_after"]),
        mean_and_interval(variant, STUDY_MEASURES["best_loss_validation"]),
        f"{fmean(ends):.3f}" if ends else "–",
    ]


def cost_table(variants: Sequence[Variant]) -> Table:
    """Return one row per setting: parameters, and seconds from start to parity."""
    return Table(
        [*_keys(variants), *(measure.title for measure in _COST)],
        [
            [*_values(one), *(mean_and_interval(one, measure) for measure in _COST)]
            for one in variants
        ],
    )


def comparison_table(analysis: Analysis) -> Table:
    """Return one row per comparison."""
    return Table(
        ["compared", "n", f"difference in {analysis.main.title}", "p (Holm)", ""],
        [
            [
                f"{c.first.words} − {c.second.words}",
                str(c.difference.n),
                with_interval(c.difference, analysis.main),
                "–" if c.p is None else f"{c.p:.3f}",
                c.verdict,
            ]
            for c in analysis.comparisons
        ],
    )


def run_table(runs: Sequence[StudyRun], varied: Sequence[str], of: str) -> Table:
    """Return one row per run of a task: scores, parity, and anything unusual."""
    task = task_named(of)
    title = task.primary_score.title
    numbers = {
        f"validation {title}": (names.VALIDATION + task.primary, ".4f"),
        f"test {title}": (names.TEST + task.primary, ".4f"),
        **{
            f"{compared} difference": (names.parity_score(score, "delta"), ".6f")
            for score, compared in task.compared.items()
        },
        "largest difference": (names.PARITY_MAX_ABS_DIFF, ".1e"),
    }
    return Table(
        [*varied, "seed", "status", "parity", *numbers, "remark"],
        [
            [
                *values_in(run.params, varied),
                str(run.seed),
                run.status,
                run.tags.get(names.PARITY, "–"),
                *(number(run.metrics.get(name), form) for name, form in numbers.values()),
                _remark(run),
            ]
            for run in sorted(runs, key=lambda run: (values_in(run.params, varied), run.seed))
        ],
    )


def _remark(run: StudyRun) -> str:
    degenerate = run.tags.get(names.DEGENERATE, "no")
    remarks = [run.tags.get(names.ERROR, ""), "" if degenerate == "no" else degenerate]
    return "; ".join(filter(None, remarks))


def runs_csv(runs: Sequence[StudyRun], varied: Sequence[str], task: str) -> str:
    """Return every run with every measure of its task as CSV, unrounded."""
    measures = file_measures(task)
    head = ["run_id", "status", *varied, "seed", *measures]
    rows = [
        [
            *(run.run_id, run.status, *values_in(run.params, varied), run.seed),
            *(measure.of(run) for measure in measures.values()),
            *(run.tags.get(name, "") for name in (names.PARITY, names.DEGENERATE)),
            run.metrics.get(names.PARITY_MAX_ABS_DIFF),
        ]
        for run in runs
    ]
    return _csv([*head, "parity", "degenerate", "parity_max_abs_diff"], rows)


def summary_csv(variants: Sequence[Variant], task: str) -> str:
    """Return mean, standard deviation, interval and n of every measure per setting, unrounded."""
    rows = []
    for variant in variants:
        for name, measure in file_measures(task).items():
            if (found := variant.estimate(measure)) is None:
                continue
            low, high = found.interval or (None, None)
            deviation = None if math.isnan(found.deviation) else found.deviation
            numbers = (found.n, found.mean, deviation, low, high)
            rows.append([*variant.setting.values, name, *numbers])
    keys = variants[0].setting.keys
    return _csv([*keys, "measure", "n", "mean", "deviation", "low", "high"], rows)


def _csv(head: Sequence[str], rows: Sequence[Sequence[Any]]) -> str:
    text = io.StringIO()
    writer = csv.writer(text, lineterminator="\n")
    writer.writerow(head)
    writer.writerows(rows)
    return text.getvalue()
