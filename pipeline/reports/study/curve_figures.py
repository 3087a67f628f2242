"""Training curves of a report, one panel per setting: mean and range over seeds."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from pipeline.reports.drawing.curve_panel import SPLITS, Line, curve_panel, frame
from pipeline.reports.drawing.svg import Drawing
from pipeline.reports.study.analysis import Analysis
from pipeline.reports.study.score_figures import MANY
from pipeline.reports.study.study_run import MEASURES
from pipeline.reports.study.variants import Variant

_SHOWN = 3  # of the best and of the worst, if there are more than MANY settings


@dataclass(frozen=True)
class Band:
    """Curves of several seeds, combined by epoch.

    Attributes:
        epochs: `(E,)`, from 1.
        mean: mean over the seeds that reached the epoch, `(E,)`.
        low: minimum over the seeds, `(E,)`.
        high: maximum over the seeds, `(E,)`.
    """

    epochs: np.ndarray
    mean: np.ndarray
    low: np.ndarray
    high: np.ndarray


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
        analysis: the settings and their runs.
        quantity: `loss` or `accuracy`.
    """
    variants = panels(analysis)
    titles = [_title(variant, analysis) for variant in variants]
    lines = [_lines(variant, quantity) for variant in variants]
    shared = frame(lines, titles)
    note = _loss_note if quantity == "loss" else _accuracy_note
    return [
        curve_panel(title, of, shared, note(variant), _best_epoch(variant))
        for title, of, variant in zip(titles, lines, variants, strict=True)
    ]


def _title(variant: Variant, analysis: Analysis) -> str:
    words = variant.setting.words
    if len(analysis.variants) > MANY:
        return f"No. {analysis.ranked.index(variant) + 1}: {words}"
    return words[0].upper() + words[1:]


def _lines(variant: Variant, quantity: str) -> list[Line]:
    lines = []
    for name, role in SPLITS:
        found = band([run.curves.get(f"{quantity}/{name}", ()) for run in variant.runs])
        sides = (side.tolist() for side in (found.mean, found.low, found.high))
        lines.append(Line(name, role, *sides))
    return lines


def _best_epoch(variant: Variant) -> float | None:
    found = variant.estimate(MEASURES["best_epoch"])
    return None if found is None else found.mean


def _loss_note(variant: Variant) -> str:
    best = _best_epoch(variant)
    return "" if best is None else f"least validation loss: epoch {round(best, 1):g}"


def _accuracy_note(variant: Variant) -> str:
    found = variant.estimate(MEASURES["peak_accuracy_validation"])
    return "" if found is None else f"highest in validation: {found.mean:.3f}"
