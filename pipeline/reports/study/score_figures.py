"""Plots of a report's scores, with one row per setting or comparison.

Labels are in place, without a legend; colour-blind readers can distinguish the two colours.
"""

from collections.abc import Mapping, Sequence

from pipeline.reports.drawing.palette import Role
from pipeline.reports.drawing.svg import Drawing
from pipeline.reports.study.reference import References, baseline_scores
from pipeline.reports.study.rows import (
    Column,
    Rows,
    columns_of,
    name_lines,
    rows_plot,
    write_numbers,
)
from pipeline.reports.study.setting_comparison import Analysis, Comparison
from pipeline.reports.study.study_run import Measure
from pipeline.reports.study.variants import Setting, Variant

MANY = 12  # settings; above it, only the best and worst are drawn where all would not fit
_MINUS = "−"


def forest(analysis: Analysis, baselines: References) -> Drawing:
    """Draw mean and interval of each setting, its seeds as dots, and baselines as lines.

    Settings are in the order of their values; more than `MANY` are sorted best first.
    """
    main, variants = analysis.main, list(analysis.variants)
    if len(variants) > MANY:
        variants = [*analysis.ranked, *(v for v in variants if v not in analysis.ranked)]
    columns = columns_of([variant.setting for variant in variants])
    low, high = _reach(variants, main)
    shown = _near(baselines, main, low, high)
    axis = f"{main.title}: mean, 95 % interval, each seed a small dot"
    rows = rows_plot(
        columns,
        [_numbers(variant, main) for variant in variants],
        (min([low, *shown]), max([high, *shown])),
        axis,
        names=len(baseline_scores(baselines, main)),
    )
    _draw_references(rows, variants, baselines, main)
    for place, variant in enumerate(variants):
        _draw_variant(rows, place, variant, main, best=variant is analysis.best)
    return rows.drawing


def _reach(variants: Sequence[Variant], main: Measure) -> tuple[float, float]:
    found = [variant.estimate(main) for variant in variants]
    ends = [end for one in found if one is not None for end in (one.interval or (one.mean,))]
    ends += [score for variant in variants for score in variant.by_seed(main).values()]
    return (min(ends), max(ends)) if ends else (0.0, 1.0)


def _near(baselines: References, main: Measure, low: float, high: float) -> list[float]:
    """Return the baselines that are close enough not to compress the rest of the plot."""
    reach = max(high - low, 0.02)
    scores = [one for kind in baseline_scores(baselines, main).values() for one in kind.values()]
    return [one for one in scores if low - reach <= one <= high + reach]


def _numbers(variant: Variant, main: Measure) -> str:
    found = variant.estimate(main)
    if found is None:
        return "no score"
    text = main.show(found.mean)
    if found.interval is not None:
        low, high = (main.show(end) for end in found.interval)
        text += f"  [{low}, {high}]"
    if variant.degenerate:
        text += f"  {len(variant.degenerate)} of {found.n} {variant.degenerate_words}"
    return text


def _draw_variant(rows: Rows, place: int, variant: Variant, main: Measure, best: bool) -> None:
    role: Role = "blue" if best else "ink"
    write_numbers(rows, place, _numbers(variant, main), role, bold=best)
    found, height = variant.estimate(main), rows.heights[place]
    if found is None:
        return
    for score in variant.by_seed(main).values():
        rows.drawing.dot((rows.x(score), height + 0.3 * rows.row), 2, "grey", 0.75)
    if found.interval is not None:
        low, high = found.interval
        rows.drawing.line((rows.x(low), height), (rows.x(high), height), role, 2.5)
    rows.drawing.dot((rows.x(found.mean), height), 5, role)


def _draw_references(
    rows: Rows, variants: Sequence[Variant], baselines: References, main: Measure
) -> None:
    """Draw a baseline as a line if it is the same for all rows, otherwise a tick per row."""
    names: dict[str, float] = {}
    for name, scores in baseline_scores(baselines, main).items():
        values = {round(score, 9) for score in scores.values()}
        if len(values) == 1:
            names |= _draw_reference(rows, f"{name} {main.show(min(values))}", min(values))
        else:
            names[name] = _draw_ticks(rows, variants, scores)
    name_lines(rows, names, "orange")


def _draw_reference(rows: Rows, words: str, value: float) -> dict[str, float]:
    """Draw the line and return its label and position; an arrow if it is outside the plot."""
    if value < rows.x.low:
        return {f"← {words}": rows.x.low}
    if value > rows.x.high:
        return {f"{words} →": rows.x.high}
    bottom = rows.heights[-1] + rows.row / 2
    rows.drawing.line((rows.x(value), rows.top), (rows.x(value), bottom), "orange", 1.5, "5 4")
    return {words: value}


def _draw_ticks(rows: Rows, variants: Sequence[Variant], scores: Mapping[Setting, float]) -> float:
    """Draw a tick in each row that has the baseline; return the first one's position."""
    for variant, height in zip(variants, rows.heights, strict=True):
        if variant.setting in scores:
            x = rows.x(min(max(scores[variant.setting], rows.x.low), rows.x.high))
            rows.drawing.line((x, height - rows.row / 3), (x, height + rows.row / 3), "orange", 2.5)
    return next(iter(scores.values()))


def differences(comparisons: Sequence[Comparison], main: Measure) -> Drawing:
    """Draw paired differences with intervals around zero; of very many, the closest to zero."""
    shown = comparisons[:MANY]
    ends = [end for c in shown for end in (c.difference.interval or (c.difference.mean,))]
    columns, lead = _compared(shown)
    verdicts = [f"{main.show(c.difference.mean, signed=True)}  {c.verdict}" for c in shown]
    axis = f"{lead}difference in {main.title}, same seeds, 95 % interval"
    rows = rows_plot(columns, verdicts, (min(0.0, *ends), max(0.0, *ends)), axis)
    bottom = rows.heights[-1] + rows.row / 2
    rows.drawing.line((rows.x(0), rows.top), (rows.x(0), bottom), "grey", 1.5)
    for place, comparison in enumerate(shown):
        _draw_difference(rows, place, comparison, verdicts[place])
    return rows.drawing


def _draw_difference(rows: Rows, place: int, comparison: Comparison, words: str) -> None:
    found, height = comparison.difference, rows.heights[place]
    role: Role = "blue" if comparison.verdict == "shown" else "grey"
    if found.interval is not None:
        low, high = found.interval
        rows.drawing.line((rows.x(low), height), (rows.x(high), height), role, 2.5)
    rows.drawing.dot((rows.x(found.mean), height), 5, role)
    write_numbers(rows, place, words, role)


def _compared(comparisons: Sequence[Comparison]) -> tuple[list[Column], str]:
    """Return columns that name what is compared, and what all first settings have in common."""
    firsts, seconds = [c.first for c in comparisons], [c.second for c in comparisons]
    if len(comparisons) > 1 and len(set(firsts)) == 1:
        return columns_of(seconds), f"{firsts[0].words} minus each: "
    if len({first.keys for first in firsts}) > 1:  # effects of several keys
        return [("", [f"{c.first.words} {_MINUS} {c.second.words}" for c in comparisons])], ""
    minus = ("", [_MINUS] * len(comparisons))
    return [*columns_of(firsts), minus, *columns_of(seconds)], ""
