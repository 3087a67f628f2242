"""Figures of a report: who scores what, who differs, how training went.

Everything is named where it stands, so there is no legend; the two colours are told apart by
colour-blind readers.
"""

from collections.abc import Mapping, Sequence

from pipeline.reports.drawing.curve_panel import SPLITS, Line, curve_panel, frame
from pipeline.reports.drawing.palette import Role
from pipeline.reports.drawing.svg import Drawing, width_of
from pipeline.reports.study.analysis import Analysis, Comparison
from pipeline.reports.study.bands import band
from pipeline.reports.study.measures import MAIN, MEASURES
from pipeline.reports.study.reference import References
from pipeline.reports.study.rows import (
    Column,
    Rows,
    columns_of,
    name_lines,
    rows_plot,
    write_numbers,
)
from pipeline.reports.study.variants import Variant
from pipeline.tasks.baselines import Baseline

MANY = 12  # settings, from which on the best and worst stand for all where all would be too much
_SHOWN = 3  # of the best and of the worst, whose curves are drawn then
_CELL_HEIGHT, _SHADE = 40.0, 0.55
_MINUS = "−"


def forest(analysis: Analysis, baselines: References) -> Drawing:
    """Mean and interval of each setting, its seeds as dots, baselines as lines.

    Settings stand in the order of their values; very many of them by their mean.
    """
    variants = list(analysis.variants)
    if len(variants) > MANY:
        variants.sort(key=lambda variant: -getattr(variant.estimate(MAIN), "mean", 0.0))
    columns = columns_of([variant.values for variant in variants]) or [("", ["all runs"])]
    low, high = _reach(variants)
    shown = _near(baselines, low, high)
    axis = f"{MAIN.title}: mean, 95 % interval, each seed a small dot"
    rows = rows_plot(
        columns,
        [_numbers(variant) for variant in variants],
        (min([low, *shown]), max([high, *shown])),
        axis,
        names=bool(baselines.majority) + bool(baselines.tfidf),
    )
    _draw_references(rows, variants, baselines)
    for place, variant in enumerate(variants):
        _draw_variant(rows, place, variant, highest=variant is analysis.best)
    return rows.drawing


def _reach(variants: Sequence[Variant]) -> tuple[float, float]:
    found = [variant.estimate(MAIN) for variant in variants]
    ends = [end for one in found if one is not None for end in (one.interval or (one.mean,))]
    ends += [score for variant in variants for score in variant.by_seed(MAIN).values()]
    return (min(ends), max(ends)) if ends else (0.0, 1.0)


def _near(baselines: References, low: float, high: float) -> list[float]:
    """Baselines near enough not to squeeze everything else."""
    reach = max(high - low, 0.02)
    scores = [*baselines.majority.values(), *baselines.tfidf.values()]
    return [one.f1_macro for one in scores if low - reach <= one.f1_macro <= high + reach]


def _numbers(variant: Variant) -> str:
    found = variant.estimate(MAIN)
    if found is None:
        return "no score"
    text = MAIN.show(found.mean)
    if found.interval is not None:
        low, high = (MAIN.show(end) for end in found.interval)
        text += f"  [{low}, {high}]"
    if variant.degenerate:
        text += f"  {len(variant.degenerate)} of {found.n} nearly one class"
    return text


def _draw_variant(rows: Rows, place: int, variant: Variant, highest: bool) -> None:
    role: Role = "blue" if highest else "ink"
    write_numbers(rows, place, _numbers(variant), role, bold=highest)
    found, height = variant.estimate(MAIN), rows.heights[place]
    if found is None:
        return
    for score in variant.by_seed(MAIN).values():
        rows.drawing.dot((rows.x(score), height + 0.3 * rows.row), 2, "grey", 0.75)
    if found.interval is not None:
        low, high = found.interval
        rows.drawing.line((rows.x(low), height), (rows.x(high), height), role, 2.5)
    rows.drawing.dot((rows.x(found.mean), height), 5, role)


def _draw_references(rows: Rows, variants: Sequence[Variant], baselines: References) -> None:
    """A line through all rows where a baseline is the same for all, else a tick in each row."""
    names: dict[str, float] = {}
    for name, scores in (("majority class", baselines.majority), ("TF-IDF", baselines.tfidf)):
        values = {round(found.f1_macro, 9) for found in scores.values()}
        if len(values) == 1:
            names |= _draw_reference(rows, name, values.pop())
        elif values:
            names[name] = _draw_ticks(rows, variants, scores)
    name_lines(rows, names, "orange")


def _draw_reference(rows: Rows, name: str, value: float) -> dict[str, float]:
    """The line's name and place; of a line beyond the plot, an arrow towards it."""
    told = f"{name} {MAIN.show(value)}"
    if value < rows.x.low:
        return {f"← {told}": rows.x.low}
    if value > rows.x.high:
        return {f"{told} →": rows.x.high}
    bottom = rows.heights[-1] + rows.row / 2
    rows.drawing.line((rows.x(value), rows.top), (rows.x(value), bottom), "orange", 1.5, "5 4")
    return {told: value}


def _draw_ticks(rows: Rows, variants: Sequence[Variant], scores: Mapping[str, Baseline]) -> float:
    for variant, height in zip(variants, rows.heights, strict=True):
        x = rows.x(min(max(scores[variant.name].f1_macro, rows.x.low), rows.x.high))
        rows.drawing.line((x, height - rows.row / 3), (x, height + rows.row / 3), "orange", 2.5)
    return scores[variants[0].name].f1_macro


def differences(comparisons: Sequence[Comparison]) -> Drawing:
    """Paired differences with their intervals around zero: of very many, the nearest to zero."""
    shown = comparisons[:MANY]
    ends = [end for c in shown for end in (c.difference.interval or (c.difference.mean,))]
    columns, lead = _compared(shown)
    told = [f"{MAIN.show(c.difference.mean, signed=True)}  {c.verdict}" for c in shown]
    axis = f"{lead}difference in {MAIN.title}, same seeds, 95 % interval"
    rows = rows_plot(columns, told, (min(0.0, *ends), max(0.0, *ends)), axis)
    bottom = rows.heights[-1] + rows.row / 2
    rows.drawing.line((rows.x(0), rows.top), (rows.x(0), bottom), "grey", 1.5)
    for place, comparison in enumerate(shown):
        _draw_difference(rows, place, comparison, told[place])
    return rows.drawing


def _draw_difference(rows: Rows, place: int, comparison: Comparison, told: str) -> None:
    found, height = comparison.difference, rows.heights[place]
    role: Role = "blue" if comparison.verdict == "shown" else "grey"
    if found.interval is not None:
        low, high = found.interval
        rows.drawing.line((rows.x(low), height), (rows.x(high), height), role, 2.5)
    rows.drawing.dot((rows.x(found.mean), height), 5, role)
    write_numbers(rows, place, told, role)


def _compared(comparisons: Sequence[Comparison]) -> tuple[list[Column], str]:
    """Columns that name what is compared, and what the first of each has in common."""
    firsts, seconds = ([_values(name) for name in names] for names in _sides(comparisons))
    if len(comparisons) > 1 and all(first == firsts[0] for first in firsts):
        return columns_of(seconds), f"{comparisons[0].first} minus each: "
    if any(first.keys() != firsts[0].keys() for first in firsts):  # effects of several keys
        words = [f"{c.first} {_MINUS} {c.second}" for c in comparisons]
        return [("", words)], ""
    minus = ("", [_MINUS] * len(comparisons))
    return [*columns_of(firsts), minus, *columns_of(seconds)], ""


def _sides(comparisons: Sequence[Comparison]) -> tuple[list[str], list[str]]:
    return [c.first for c in comparisons], [c.second for c in comparisons]


def _values(name: str) -> dict[str, str]:
    """A variant's values by key, from its name."""
    return dict(word.split("=", 1) for word in name.split(" ") if "=" in word)


def panels(analysis: Analysis) -> list[Variant]:
    """The settings whose curves are drawn: all, or of many the best and the worst."""
    if len(analysis.variants) <= MANY:
        return list(analysis.variants)
    return [*analysis.ranked[:_SHOWN], *analysis.ranked[-_SHOWN:]]


def curves(analysis: Analysis, quantity: str) -> list[Drawing]:
    """Training and validation curves, one panel a setting, all on the same axes.

    Args:
        analysis: whose settings to draw.
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
    if len(analysis.variants) <= MANY:
        return variant.name
    return f"No. {analysis.ranked.index(variant) + 1}: {variant.name}"


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


def heat_map(analysis: Analysis) -> Drawing:
    """Mean score of each combination: the first half of the varied keys down, the rest across."""
    keys = analysis.gathered.varied
    down, across = keys[: (len(keys) + 1) // 2], keys[(len(keys) + 1) // 2 :]
    rows = list(dict.fromkeys(_chosen(variant, down) for variant in analysis.variants))
    columns = list(dict.fromkeys(_chosen(variant, across) for variant in analysis.variants))
    widths = [
        max(width_of(word) for word in (key, *(row[place] for row in rows))) + 14
        for place, key in enumerate(down)
    ]
    left, top = sum(widths) + 10 + max(map(width_of, across)), 26.0 + 17 * len(across)
    cell = max(86.0, *(width_of(word) + 12 for column in columns for word in column))
    drawing = Drawing(left + cell * len(columns), top + _CELL_HEIGHT * len(rows))
    _head_columns(drawing, across, columns, (left, top), cell)
    _head_rows(drawing, down, rows, widths, top)
    scores = [found.mean for variant in analysis.ranked if (found := variant.estimate(MAIN))]
    for variant in analysis.variants:
        column, row = columns.index(_chosen(variant, across)), rows.index(_chosen(variant, down))
        corner = (left + cell * column, top + _CELL_HEIGHT * row)
        _draw_cell(drawing, variant, corner, cell, (min(scores), max(scores)))
    return drawing


def _chosen(variant: Variant, keys: Sequence[str]) -> tuple[str, ...]:
    return tuple(variant.values[key] for key in keys)


def _head_columns(
    drawing: Drawing,
    keys: Sequence[str],
    columns: Sequence[tuple[str, ...]],
    corner: tuple[float, float],
    cell: float,
) -> None:
    left, top = corner
    for line, key in enumerate(keys):
        height = top - 10 - 17 * (len(keys) - 1 - line)
        drawing.text((left - 10, height), key, "grey", anchor="end", size=12)
        for place, column in enumerate(columns):
            middle = left + cell * (place + 0.5)
            drawing.text((middle, height), column[line], anchor="middle")


def _head_rows(
    drawing: Drawing,
    keys: Sequence[str],
    rows: Sequence[tuple[str, ...]],
    widths: Sequence[float],
    top: float,
) -> None:
    left = 0.0
    for place, (key, width) in enumerate(zip(keys, widths, strict=True)):
        drawing.text((left, top - 10), key, "grey", size=12)
        for line, row in enumerate(rows):
            drawing.text((left, top + _CELL_HEIGHT * (line + 0.5) + 4), row[place])
        left += width


def _draw_cell(
    drawing: Drawing,
    variant: Variant,
    corner: tuple[float, float],
    cell: float,
    reach: tuple[float, float],
) -> None:
    """A score on a ground that is the deeper the higher it is; letters stay readable on each."""
    (x, y), (low, high) = corner, reach
    drawing.box((x + 1, y + 1), (cell - 2, _CELL_HEIGHT - 2), "light", 0.4)
    found, middle = variant.estimate(MAIN), (x + cell / 2, y + _CELL_HEIGHT / 2 + 5)
    if found is None:
        drawing.text(middle, "no score", "grey", anchor="middle")
        return
    shade = _SHADE * (found.mean - low) / ((high - low) or 1.0)
    drawing.box((x + 1, y + 1), (cell - 2, _CELL_HEIGHT - 2), "blue", shade)
    above = 6 if variant.degenerate else 0
    drawing.text(
        (middle[0], middle[1] - above),
        MAIN.show(found.mean),
        anchor="middle",
        bold=found.mean == high,
    )
    if variant.degenerate:
        drawing.text((middle[0], middle[1] + 9), "nearly one class", anchor="middle", size=10)
