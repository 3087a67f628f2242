"""A report's numbers as rows, for the page and for CSV files."""

import csv
import io
import math
from collections.abc import Mapping, Sequence
from typing import Any

from pipeline.reports.study.analysis import Analysis
from pipeline.reports.study.claim import told
from pipeline.reports.study.measures import MAIN, MEASURES
from pipeline.reports.study.study_run import StudyRun
from pipeline.reports.study.variants import Variant, values_in
from pipeline.tracking import names

Row = dict[str, Any]

_SCORES = (
    "test_f1_macro",
    "test_accuracy",
    "best_accuracy_validation",
    "peak_accuracy_validation",
    "best_loss_validation",
    "best_epoch",
)
_EPOCHS = ("best_epoch", "overfits_after")
_COST = ("parameters", "seconds")


def score_rows(variants: Sequence[Variant]) -> list[Row]:
    """One row a setting, for people: mean and interval of each score."""
    return [
        {"setting": variant.name, "n": str(len(variant.runs))}
        | {MEASURES[name].title: mean_and_interval(variant, name) for name in _SCORES}
        for variant in variants
    ]


def mean_and_interval(variant: Variant, name: str) -> str:
    """`0.712 [0.690, 0.733]`, without the interval below 3 seeds; of epochs, the range."""
    measure, found = MEASURES[name], variant.estimate(MEASURES[name])
    if found is None:
        return "–"
    mean = measure.show(found.mean)
    if name in _EPOCHS:
        samples = variant.by_seed(measure).values()
        least, most = min(samples), max(samples)
        return f"{least:.0f}" if least == most else f"{mean} ({least:.0f} to {most:.0f})"
    if found.interval is None or name in _COST:
        return mean
    low, high = (measure.show(end) for end in found.interval)
    return f"{mean} [{low}, {high}]"


def overfitting_rows(variants: Sequence[Variant]) -> list[Row]:
    """One row a setting: how many seeds overfit, after which epoch, and by how much."""
    rows = []
    for variant in variants:
        onset = variant.by_seed(MEASURES["overfits_after"])
        ends = [c[-1] for run in variant.runs if (c := run.curves.get(names.LOSS_VALIDATION))]
        rows.append(
            {
                "setting": variant.name,
                "overfits": f"{len(onset)} of {len(variant.runs)} seeds",
                "after epoch": mean_and_interval(variant, "overfits_after"),
                "least validation loss": mean_and_interval(variant, "best_loss_validation"),
                "validation loss at the end": f"{sum(ends) / len(ends):.3f}" if ends else "–",
            }
        )
    return rows


def cost_rows(variants: Sequence[Variant]) -> list[Row]:
    """One row a setting: parameters, and seconds from start to parity."""
    return [
        {"setting": variant.name}
        | {MEASURES[name].title: mean_and_interval(variant, name) for name in _COST}
        for variant in variants
    ]


def comparison_rows(analysis: Analysis) -> list[Row]:
    """One row a comparison, for people."""
    return [
        {
            "compared": f"{c.first} − {c.second}",
            "n": str(c.difference.n),
            f"difference in {MAIN.title}": told(c.difference, MAIN).split(", no")[0],
            "p (Holm)": "–" if c.p is None else f"{c.p:.3f}",
            "": c.verdict,
        }
        for c in analysis.comparisons
    ]


def run_rows(runs: Sequence[StudyRun], varied: Sequence[str]) -> list[Row]:
    """One row a run, for people: score, parity, and what is odd about it."""
    return [
        {
            "run": run.name,
            "status": run.status,
            MAIN.title: _number(run.metrics.get(names.TEST_F1_MACRO), ".4f"),
            "parity": run.tags.get(names.PARITY, "–"),
            "F1 difference": _number(run.metrics.get(names.PARITY_F1_DELTA), ".6f"),
            "largest difference": _number(run.metrics.get(names.PARITY_MAX_ABS_DIFF), ".1e"),
            "": _remark(run),
        }
        for run in sorted(runs, key=lambda run: (values_in(run.params, varied), run.seed))
    ]


def _remark(run: StudyRun) -> str:
    degenerate = run.tags.get(names.DEGENERATE, "no")
    remarks = [run.tags.get(names.ERROR, ""), "" if degenerate == "no" else degenerate]
    return "; ".join(filter(None, remarks))


def _number(value: float | None, form: str) -> str:
    return "–" if value is None else f"{value:{form}}"


def runs_csv(runs: Sequence[StudyRun], varied: Sequence[str]) -> str:
    """Every run with every measure, unrounded."""
    rows = [
        {"run_id": run.run_id, "status": run.status}
        | dict(zip(varied, values_in(run.params, varied), strict=True))
        | {"seed": run.seed}
        | {name: measure.of(run) for name, measure in MEASURES.items()}
        | {name: run.tags.get(name, "") for name in (names.PARITY, names.DEGENERATE)}
        | {"parity_max_abs_diff": run.metrics.get(names.PARITY_MAX_ABS_DIFF)}
        for run in runs
    ]
    return _csv(rows)


def summary_csv(variants: Sequence[Variant]) -> str:
    """Every setting with mean, standard deviation, interval and n of every measure, unrounded."""
    rows = []
    for variant in variants:
        for name in MEASURES:
            if (found := variant.estimate(MEASURES[name])) is None:
                continue
            low, high = found.interval or (None, None)
            deviation = None if math.isnan(found.deviation) else found.deviation
            numbers = {"mean": found.mean, "deviation": deviation, "low": low, "high": high}
            rows.append({**variant.values, "measure": name, "n": found.n, **numbers})
    return _csv(rows)


def _csv(rows: Sequence[Mapping[str, Any]]) -> str:
    text = io.StringIO()
    writer = csv.DictWriter(text, list(rows[0]) if rows else [], lineterminator="\n")
    writer.writeheader()
    writer.writerows(rows)
    return text.getvalue()
