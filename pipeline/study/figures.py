"""Figures of a report: who scores what, who differs, how training went.

Everything is named where it stands, so there is no legend; the two colours are told apart by
colour-blind readers (Okabe & Ito, 2008). Colours are few and exact, so that a page can swap them
for its dark theme (see `svg.py`).
"""

import textwrap
from collections.abc import Sequence

import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.ticker import MaxNLocator

from pipeline.figures import BLUE, ORANGE
from pipeline.study.analysis import Analysis, Comparison
from pipeline.study.bands import Band, band
from pipeline.study.measures import MAIN, MEASURES
from pipeline.study.reference import References
from pipeline.study.variants import Variant

INK, GREY, LIGHT, PAPER = "#1b1b1b", "#6b6b6b", "#dcdcdc", "#fffffe"
_ROW, _PLOT, _LETTER = 0.34, 7.6, 0.085  # inches: a row, a plot with its numbers, a letter
_COLUMNS, _MOST_PANELS = 4, 12
_TITLE = 36  # letters that fit above a panel
_NEAR = 0.3  # share of the width within which two reference names would touch


def forest(analysis: Analysis, baselines: References) -> Figure:
    """Mean and interval of each setting, its seeds as dots, baselines as lines.

    Settings stand in the order of their values; very many of them by their mean.
    """
    variants = list(analysis.variants)
    if len(variants) > _MOST_PANELS:
        variants.sort(key=lambda variant: -getattr(variant.estimate(MAIN), "mean", 0.0))
    figure, axes = _rows([variant.name for variant in variants])
    for row, variant in enumerate(variants):
        _draw_variant(axes, row, variant, highest=variant is analysis.best)
    axes.set_xlabel(f"{MAIN.title}: mean, 95 % interval and each seed")
    _draw_references(axes, variants, baselines)
    return figure


def differences(comparisons: Sequence[Comparison]) -> Figure:
    """Paired differences with their intervals around zero."""
    firsts = {comparison.first for comparison in comparisons}
    one = firsts.pop() if len(firsts) == 1 and len(comparisons) > 1 else None
    figure, axes = _rows([c.second if one else f"{c.first} − {c.second}" for c in comparisons])
    axes.axvline(0, color=GREY, linewidth=1)
    for row, comparison in enumerate(comparisons):
        found = comparison.difference
        colour = BLUE if comparison.verdict == "shown" else GREY
        if found.interval is not None:
            axes.plot(found.interval, (row, row), color=colour, linewidth=2)
        axes.plot(found.mean, row, "o", color=colour, markersize=7)
        mean = MAIN.show(found.mean, signed=True)
        _beside(axes, row, f"{mean}  {comparison.verdict}", colour)
    lead = f"{one}\nminus each of these: difference" if one else "Difference"
    axes.set_xlabel(f"{lead} in {MAIN.title}, same seeds, 95 % interval")
    return figure


def panels(analysis: Analysis) -> list[Variant]:
    """The settings whose curves are drawn: all, or of many the best and the worst."""
    half = _MOST_PANELS // 2
    if len(analysis.variants) <= _MOST_PANELS:
        return list(analysis.variants)
    return [*analysis.ranked[:half], *analysis.ranked[-half:]]


def curves(variants: Sequence[Variant], quantity: str, name: str) -> Figure:
    """Training and validation curves, one panel a setting, all on the same axes.

    Args:
        variants: what to draw.
        quantity: `loss` or `accuracy`.
        name: of the vertical axis.
    """
    columns = min(_COLUMNS, len(variants))
    rows = -(-len(variants) // columns)
    size = (max(3.2 * columns, 4.8) + 0.6, 2.6 * rows + 0.5)
    figure = Figure(figsize=size, layout="constrained")
    grid = figure.subplots(rows, columns, sharex=True, sharey=True, squeeze=False)
    for axes in grid.flat[len(variants) :]:
        axes.set_visible(False)
    for axes, variant in zip(grid.flat, variants, strict=False):
        _draw_curves(axes, variant, quantity)
    for axes in grid[:, 0]:
        axes.set_ylabel(name, color=INK)
    for place, axes in enumerate(grid.flat[: len(variants)]):
        if place + columns >= len(variants):
            axes.set_xlabel("Epoch", color=INK)
            axes.tick_params(labelbottom=True)
    _fit_height(grid.flat[0], variants, quantity)
    return figure


def heat_map(analysis: Analysis) -> Figure:
    """Mean score of each combination: the first half of the varied keys down, the rest across."""
    keys = analysis.gathered.varied
    down, across = keys[: (len(keys) + 1) // 2], keys[(len(keys) + 1) // 2 :]
    rows = list(dict.fromkeys(_named(variant, down) for variant in analysis.variants))
    columns = list(dict.fromkeys(_named(variant, across) for variant in analysis.variants))
    scores = np.full((len(rows), len(columns)), np.nan)
    marks = np.full(scores.shape, "", dtype=object)
    for variant in analysis.variants:
        place = rows.index(_named(variant, down)), columns.index(_named(variant, across))
        found = variant.estimate(MAIN)
        scores[place] = np.nan if found is None else found.mean
        marks[place] = "\none class only" if variant.degenerate else ""
    size = (2.6 + 1.5 * len(columns), 1.4 + 0.62 * len(rows))
    figure = Figure(figsize=size, layout="constrained")
    axes = figure.add_subplot()
    _draw_cells(axes, scores, marks)
    axes.set_xticks(np.arange(len(columns)) + 0.5, ["\n".join(name) for name in columns])
    axes.set_yticks(np.arange(len(rows)) + 0.5, [" ".join(name) for name in rows])
    axes.invert_yaxis()
    axes.tick_params(length=0, colors=INK)
    axes.set_title(f"{MAIN.title}, mean over seeds", color=INK, fontsize="medium")
    return figure


def _named(variant: Variant, keys: Sequence[str]) -> tuple[str, ...]:
    return tuple(f"{key}={variant.values[key]}" for key in keys)


def _draw_cells(axes: Axes, scores: np.ndarray, marks: np.ndarray) -> None:
    low, high = float(np.nanmin(scores)), float(np.nanmax(scores))
    high = max(high, low + 1e-9)
    axes.pcolormesh(scores, cmap="cividis", vmin=low, vmax=high, edgecolors=PAPER, linewidth=1.5)
    for row, column in np.ndindex(*scores.shape):
        score = float(scores[row, column])
        if np.isnan(score):
            axes.text(column + 0.5, row + 0.5, "no run", ha="center", va="center", color=GREY)
            continue
        colour = "#000001" if (score - low) / (high - low) > 0.55 else "#fefefe"
        text = f"{MAIN.show(score)}{marks[row, column]}"
        axes.text(column + 0.5, row + 0.5, text, ha="center", va="center", color=colour, fontsize=9)
    axes.spines[:].set_visible(False)


def _rows(names: Sequence[str]) -> tuple[Figure, Axes]:
    """An empty plot with a named row for each thing, the first on top."""
    size = (_PLOT + _LETTER * max(map(len, names)), 1.0 + _ROW * len(names))
    figure = Figure(figsize=size, layout="constrained")
    axes = figure.add_subplot()
    axes.set_ylim(len(names) - 0.4, -0.6)
    axes.set_yticks(range(len(names)), names)
    axes.spines[["top", "right", "left"]].set_visible(False)
    axes.spines["bottom"].set_color(GREY)
    axes.tick_params(axis="y", length=0, colors=INK)
    axes.tick_params(axis="x", colors=GREY, labelcolor=INK)
    axes.xaxis.label.set_color(INK)
    axes.grid(axis="x", color=LIGHT, linewidth=0.6)
    axes.set_axisbelow(True)
    return figure, axes


def _draw_variant(axes: Axes, row: int, variant: Variant, highest: bool) -> None:
    found = variant.estimate(MAIN)
    if found is None:
        _beside(axes, row, "no score", GREY)
        return
    colour = BLUE if highest else INK
    samples = list(variant.by_seed(MAIN).values())
    axes.plot(samples, [row + 0.22] * len(samples), "o", color=GREY, markersize=3, alpha=0.6)
    text = MAIN.show(found.mean)
    if found.interval is not None:
        axes.plot(found.interval, (row, row), color=colour, linewidth=2)
        low, high = (MAIN.show(end) for end in found.interval)
        text += f"  [{low}, {high}]"
    axes.plot(found.mean, row, "o", color=colour, markersize=7)
    if variant.degenerate:
        text += f"  {len(variant.degenerate)} of {found.n} one class only"
    _beside(axes, row, text, colour)


def _beside(axes: Axes, row: int, text: str, colour: str) -> None:
    axes.annotate(
        text,
        (1.0, row),
        xycoords=("axes fraction", "data"),
        xytext=(10, 0),
        textcoords="offset points",
        va="center",
        color=colour,
        fontsize=9,
        annotation_clip=False,
    )


def _draw_references(axes: Axes, variants: Sequence[Variant], baselines: References) -> None:
    """A line through all rows where a baseline is the same for all, else a tick in each row."""
    low, high = axes.get_xlim()
    reach = high - low  # a baseline further away would squeeze everything else: named at the edge
    names: list[tuple[float, str]] = []
    for name, scores in (("majority class", baselines.majority), ("TF-IDF", baselines.tfidf)):
        values = {round(found.f1_macro, 9) for found in scores.values()}
        if len(values) == 1:
            value = values.pop()
            if value < low - reach:
                names.append((low, f"← {name} {MAIN.show(value)}"))
                continue
            axes.axvline(value, color=ORANGE, linewidth=1.2, linestyle=(0, (4, 3)), zorder=0)
            names.append((value, f"{name} {MAIN.show(value)}"))
        elif values:
            for row, variant in enumerate(variants):
                tick = [scores[variant.name].f1_macro] * 2
                axes.plot(tick, (row - 0.4, row + 0.4), color=ORANGE, linewidth=2)
            names.append((scores[variants[0].name].f1_macro, name))
    _name_references(axes, sorted(names))


def _name_references(axes: Axes, names: Sequence[tuple[float, str]]) -> None:
    """Names above the plot, the higher one up where two would touch."""
    low, high = axes.get_xlim()
    last, height = -np.inf, 0
    for value, name in names:
        height = height + 1 if value - last < _NEAR * (high - low) else 0
        last = value
        axes.annotate(
            name,
            (value, 1.0),
            xycoords=("data", "axes fraction"),
            xytext=(0, 3 + 12 * height),
            textcoords="offset points",
            ha="left" if name.startswith("←") else "center",
            color=ORANGE,
            fontsize=9,
            annotation_clip=False,
        )


def _draw_curves(axes: Axes, variant: Variant, quantity: str) -> None:
    bands = [
        (name, colour, band([run.curves.get(f"{quantity}/{name}", ()) for run in variant.runs]))
        for name, colour in (("train", BLUE), ("validation", ORANGE))
    ]
    for _, colour, drawn in bands:
        axes.fill_between(
            drawn.epochs, drawn.low, drawn.high, color=colour, alpha=0.18, linewidth=0
        )
        axes.plot(drawn.epochs, drawn.mean, color=colour, linewidth=1.8)
    title = textwrap.fill(variant.name, _TITLE)
    axes.set_title(title, color=INK, fontsize=9, loc="left", pad=16)
    axes.xaxis.set_major_locator(MaxNLocator(integer=True, nbins=6))
    axes.spines[["top", "right"]].set_visible(False)
    axes.spines[["bottom", "left"]].set_color(GREY)
    axes.tick_params(colors=GREY, labelcolor=INK)
    axes.grid(axis="y", color=LIGHT, linewidth=0.6)
    _name_curves(axes, bands)
    best = variant.estimate(MEASURES["best_epoch"])
    if quantity == "loss" and best is not None:
        axes.axvline(best.mean, color=GREY, linewidth=1, linestyle=":")
        axes.annotate(
            f"least validation loss: epoch {best.mean:.1f}",
            (0, 1),
            xycoords="axes fraction",
            xytext=(0, 4),
            textcoords="offset points",
            color=GREY,
            fontsize=8,
        )


def _name_curves(axes: Axes, bands: Sequence[tuple[str, str, Band]]) -> None:
    """Name both lines at the epoch where they are furthest apart, outside of the gap."""
    (_, _, train), (_, _, validation) = bands
    if not len(train.mean) or not len(validation.mean):
        return
    count = min(len(train.mean), len(validation.mean))
    gap = train.mean[:count] - validation.mean[:count]
    at = int(np.abs(gap).argmax())
    for name, colour, drawn in bands:
        above = (gap[at] > 0) == (name == "train")
        place = at / max(count - 1, 1)
        side = "left" if place < 1 / 3 else "right" if place > 2 / 3 else "center"
        reach = -(-count // 4)  # epochs that a name spans
        start = at - {"left": 0, "center": reach // 2, "right": reach}[side]
        span = slice(max(start, 0), max(start, 0) + reach + 1)
        edge = drawn.high[span].max() if above else drawn.low[span].min()
        axes.annotate(
            name,
            (drawn.epochs[at], edge),
            xytext=(0, 3 if above else -3),
            textcoords="offset points",
            ha=side,
            va="bottom" if above else "top",
            color=colour,
            fontsize=9,
        )


def _fit_height(axes: Axes, variants: Sequence[Variant], quantity: str) -> None:
    """Leave room for the names, and keep one exploding loss from flattening all the others."""
    bands = [
        band([run.curves.get(f"{quantity}/{split}", ()) for run in variant.runs])
        for variant in variants
        for split in ("train", "validation")
    ]
    highs = [drawn.high.max() for drawn in bands if len(drawn.high)]
    lows = [drawn.low.min() for drawn in bands if len(drawn.low)]
    if not highs:
        return
    top = min(max(highs), 6 * float(np.median(highs)))
    room = 0.16 * (top - min(lows) or 1.0)
    axes.set_ylim(min(lows) - room, top + room)
