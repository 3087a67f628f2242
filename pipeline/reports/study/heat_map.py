"""A heat map of a report: the mean score of each combination of several varied keys."""

from collections.abc import Sequence

from pipeline.reports.drawing.svg import Drawing, width_of
from pipeline.reports.study.setting_comparison import Analysis
from pipeline.reports.study.study_run import Measure
from pipeline.reports.study.variants import Variant

_CELL_HEIGHT, _SHADE = 40.0, 0.55


def heat_map(analysis: Analysis) -> Drawing:
    """Draw the mean score of each combination: the first half of the keys down, the rest across."""
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
    main = analysis.main
    scores = [found.mean for variant in analysis.ranked if (found := variant.estimate(main))]
    for variant in analysis.variants:
        column, row = columns.index(_chosen(variant, across)), rows.index(_chosen(variant, down))
        corner = (left + cell * column, top + _CELL_HEIGHT * row)
        reach = (max(scores), min(scores)) if main.least else (min(scores), max(scores))
        _draw_cell(drawing, variant, main, corner, cell, reach, best=variant is analysis.best)
    return drawing


def _chosen(variant: Variant, keys: Sequence[str]) -> tuple[str, ...]:
    values = variant.setting.by_key
    return tuple(values[key] for key in keys)


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
    main: Measure,
    corner: tuple[float, float],
    cell: float,
    reach: tuple[float, float],
    best: bool,
) -> None:
    """Draw a score on a background that is darker for better scores; the text stays readable.

    `reach` is the worst and the best score of all cells.
    """
    (x, y), (worst, best_of_all) = corner, reach
    drawing.box((x + 1, y + 1), (cell - 2, _CELL_HEIGHT - 2), "light", 0.4)
    found, middle = variant.estimate(main), (x + cell / 2, y + _CELL_HEIGHT / 2 + 5)
    if found is None:
        drawing.text(middle, "no score", "grey", anchor="middle")
        return
    shade = _SHADE * (found.mean - worst) / ((best_of_all - worst) or 1.0)
    drawing.box((x + 1, y + 1), (cell - 2, _CELL_HEIGHT - 2), "blue", shade)
    above = 6 if variant.degenerate else 0
    drawing.text((middle[0], middle[1] - above), main.show(found.mean), anchor="middle", bold=best)
    if variant.degenerate:
        drawing.text((middle[0], middle[1] + 9), variant.degenerate_words, anchor="middle", size=10)
