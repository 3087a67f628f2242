"""A plot with one row per setting: its values on the left, its numbers on the right."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from pipeline.reports.drawing.palette import Role
from pipeline.reports.drawing.scale import Scale, tick_label
from pipeline.reports.drawing.svg import Drawing, width_of
from pipeline.reports.study.variants import Setting

_PLOT, _GAP, _SMALL = 330.0, 14.0, 12.0
_ROW, _CLOSE_ROW, _MANY = 30.0, 22.0, 12  # height of a row; of a close row, used above MANY rows
_HEAD, _FOOT, _NAME_LINE = 26.0, 44.0, 15.0
_NOTHING = ("false", "off", "null", "0", "0.0")  # values that switch something off, shown in grey

Column = tuple[str, Sequence[str]]  # heading, and the text of each row


@dataclass(frozen=True)
class Rows:
    """A plot without data yet."""

    drawing: Drawing  # everything drawn so far
    x: Scale  # maps numbers to horizontal positions
    heights: Sequence[float]  # the vertical centre of each row, in pixels
    row: float  # the height of a row
    top: float  # the upper edge of the plot


def rows_plot(
    columns: Sequence[Column],
    numbers: Sequence[str],
    reach: tuple[float, float],
    axis: str,
    names: int = 0,
) -> Rows:
    """Lay out a plot and write all of its text.

    Args:
        columns: the values that distinguish the rows, from left to right.
        numbers: the text to the right of each row.
        reach: smallest and largest number to draw.
        names: how many names `name_lines` will write above the plot.
    """
    count = len(numbers)
    row = _CLOSE_ROW if count > _MANY else _ROW
    widths = [max(map(width_of, (head, *words))) + _GAP for head, words in columns]
    left = sum(widths)
    right = max((width_of(words, bold=True) for words in numbers), default=0)  # the best is bold
    width = left + _PLOT + _GAP + right
    top = _HEAD + max(0, names - 1) * _NAME_LINE
    drawing = Drawing(max(width, width_of(axis, _SMALL)), top + row * count + _FOOT)
    room = 0.04 * (reach[1] - reach[0]) or 0.01
    x = Scale(reach[0] - room, reach[1] + room, left, left + _PLOT)
    heights = [top + row * (place + 0.5) for place in range(count)]
    _draw_axis(drawing, x, top, top + row * count, axis)
    _write_columns(drawing, columns, widths, heights, top)
    return Rows(drawing, x, heights, row, top)


def _draw_axis(drawing: Drawing, x: Scale, top: float, bottom: float, axis: str) -> None:
    ticks = x.ticks(6)
    for tick in ticks:
        drawing.line((x(tick), top), (x(tick), bottom), "light")
        label = tick_label(tick, ticks)
        drawing.text((x(tick), bottom + 17), label, "grey", anchor="middle", size=_SMALL)
    drawing.line((x.start, bottom), (x.end, bottom), "grey")
    place = min(x.start, drawing.width - width_of(axis, _SMALL))  # a long label begins further left
    drawing.text((place, bottom + 36), axis, "grey", size=_SMALL)


def _write_columns(
    drawing: Drawing,
    columns: Sequence[Column],
    widths: Sequence[float],
    heights: Sequence[float],
    top: float,
) -> None:
    left = 0.0
    for (head, words), width in zip(columns, widths, strict=True):
        drawing.text((left, top - 8), head, "grey", size=_SMALL)
        for word, height in zip(words, heights, strict=True):
            role: Role = "grey" if word in _NOTHING else "ink"
            drawing.text((left, height + 4), word, role)
        left += width


def write_numbers(rows: Rows, place: int, words: str, role: Role, bold: bool = False) -> None:
    """Write a row's numbers to the right of the plot."""
    corner = (rows.x.end + _GAP, rows.heights[place] + 4)
    rows.drawing.text(corner, words, role, bold=bold)


def name_lines(rows: Rows, names: Mapping[str, float], role: Role) -> None:
    """Write names above the plot at their positions; one that would overlap goes a level higher."""
    last, level = -1e9, 0
    for words, value in sorted(names.items(), key=lambda item: item[1]):
        half = width_of(words, _SMALL) / 2
        lowest, highest = rows.x.start + half, rows.drawing.width - half
        middle = min(max(rows.x(value), lowest), highest)
        level = level + 1 if middle - half < last + _GAP else 0
        last = middle + half
        height = rows.top - 8 - level * _NAME_LINE
        rows.drawing.text((middle, height), words, role, anchor="middle", size=_SMALL)


def columns_of(settings: Sequence[Setting]) -> list[Column]:
    """Return one column per key, with the value of every row."""
    keys = settings[0].keys
    if not keys:
        return [("", [setting.words for setting in settings])]
    return [(key, [setting.by_key[key] for setting in settings]) for key in keys]
