"""Training curves of a report, one panel per setting: mean and range over seeds."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from pipeline.reports.drawing.curve_panel import SPLITS, Line, curve_panel, frame
from pipeline.reports.drawing.pages import capitalized
from pipeline.reports.drawing.svg import Drawing
from pipeline.reports.study.score_figures import MANY
from pipeline.reports.study.setting_comparison import Analysis
from pipeline.reports.study.study_run import STUDY_MEASURES
from pipeline.reports.study.variants import Variant

_SHOWN = 3  # of the best and of the worst, if there are more than MANY settings


@dataclass(frozen=True)
class Band:
    """Curves of several seeds, combined by epoch."""

    epochs: np.ndarray  # `(E,)`, from 1
    mean: np.ndarray  # mean over the seeds that reached the epoch, `(E,)`
    low: np.ndarray  # minimum over the seeds, `(E,)`
    high: np.ndarray  # maximum over the seeds, `(E,)`


def band(curves: Sequence[Sequence[float]]) -> Band:
    """Combine curves; one that stopped early counts up to its last epoch."""
    longest = max(map(len, curves), default=0)
    table = np.full((len(curves), longest), np.nan)
    for row, curve in enumerate(curves):
        table[row, : len(curve)] = curve
    if not table.size:
        empty = np.zeros(0)
        return Band(empty, empty, empty, empty)
    epochs = np.arange(1, longest + 1)
    return Band(epochs, np.nanmean(table, 0), np.nanmin(table, 0), np.nanmax(table, 0))


def panels(analysis: Analysis) -> list[Variant]:
    """Return the settings to draw: all, or the best and worst of many."""
    if len(analysis.variants) <= MANY:
        return list(analysis.variants)
    return [*analysis.ranked[:_SHOWN], *analysis.ranked[-_SHOWN:]]


def curves(analysis: Analysis, quantity: str) -> list[Drawing]:
    """Draw training and validation curves, one panel per setting, all on the same axes.

    Args:
        quantity: `loss`, or what is computed after each epoch beside it, such as `accuracy`.
    """
    variants = panels(analysis)
    titles = [_title(variant, analysis) for variant in variants]
    lines = [_lines(variant, quantity) for variant in variants]
    shared = frame(lines, titles)
    return [
        curve_panel(title, of, shared, _note(variant, quantity), _best_epoch(variant))
        for title, of, variant in zip(titles, lines, variants, strict=True)
    ]


def _title(variant: Variant, analysis: Analysis) -> str:
    words = variant.setting.words
    if len(analysis.variants) > MANY:
        return f"No. {analysis.ranked.index(variant) + 1}: {words}"
    return capitalized(words)


def _lines(variant: Variant, quantity: str) -> list[Line]:
    lines = []
    for name, role in SPLITS:
        found = band([run.curves.get(f"{quantity}/{name}", ()) for run in variant.runs])
        sides = (side.tolist() for side in (found.mean, found.low, found.high))
        lines.append(Line(name, role, *sides))
    return lines


def _best_epoch(variant: Variant) -> float | None:
    found = variant.estimate(STUDY_MEASURES["best_epoch"])
    return None if found is None else found.mean


def _note(variant: Variant, quantity: str) -> str:
    if quantity == "loss":
        best = _best_epoch(variant)
        return "" if best is None else f"least validation loss: epoch {round(best, 1):g}"
    peak = STUDY_MEASURES[f"peak_{quantity}_validation"]
    found = variant.estimate(peak)
    extreme = "lowest" if peak.least else "highest"
    return "" if found is None else f"{extreme} in validation: {found.mean:.3f}"
