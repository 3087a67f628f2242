"""A panel of curves by epoch; names at the ends of the curves replace a legend."""

import textwrap
from collections.abc import Sequence
from dataclasses import dataclass

from pipeline.reports.drawing.palette import Role
from pipeline.reports.drawing.scale import Scale, tick_label
from pipeline.reports.drawing.svg import Drawing, width_of

_WIDTH, _HEIGHT = 330.0, 176.0  # of a panel without its title
_LEFT, _RIGHT, _BOTTOM, _NOTE = 44.0, 82.0, 30.0, 26.0  # `validation` fits on the right
_SMALL, _TITLE, _TITLE_LINE = 12.0, 13.0, 17.0
_GAP = 6.0  # between an axis and its labels
_TITLE_LETTERS = 34
SPLITS: tuple[tuple[str, Role], ...] = (("train", "blue"), ("validation", "orange"))
_APART = 14.0  # minimum distance of two names, in pixels
_FLAT = 1e-5  # curves that differ by a smaller share are equal up to rounding


@dataclass(frozen=True)
class Line:
    """One curve."""

    name: str  # written at its end
    role: Role  # its colour
    values: Sequence[float]  # by epoch, from epoch 1
    low: Sequence[float] = ()  # the lower edge of a band around it; empty for none
    high: Sequence[float] = ()  # the upper edge


@dataclass(frozen=True)
class Frame:
    """What comparable panels share: the range of both axes, and the height of the title."""

    epochs: int
    low: float
    high: float
    title_lines: int = 1


def frame(panels: Sequence[Sequence[Line]], titles: Sequence[str]) -> Frame:
    """Return a frame for all panels in which one exploding curve does not flatten the others."""
    lines = [line for panel in panels for line in panel if len(line.values)]
    highs = sorted(max(line.high or line.values) for line in lines) or [1.0]
    lows = [min(line.low or line.values) for line in lines] or [0.0]
    top = min(highs[-1], 6 * highs[len(highs) // 2])
    reach = top - min(lows)
    room = 0.05 * (reach if reach > _FLAT * abs(top) else 1.0)
    return Frame(
        epochs=max((len(line.values) for line in lines), default=1),
        low=min(lows) - room,
        high=top + room,
        title_lines=max((len(_wrapped(title)) for title in titles), default=1),
    )


def curve_panel(
    title: str, lines: Sequence[Line], within: Frame, note: str = "", mark: float | None = None
) -> Drawing:
    """Draw curves within a frame.

    Args:
        within: the frame, shared with the neighbouring panels.
        note: a smaller line under the title.
        mark: an epoch to mark with a dotted line.
    """
    top = within.title_lines * _TITLE_LINE + _NOTE
    drawing = Drawing(_WIDTH, top + _HEIGHT)
    for number, words in enumerate(_wrapped(title)):
        drawing.text((0, 14 + number * _TITLE_LINE), words, bold=True, size=_TITLE)
    drawing.text((0, top - 9), note, "grey", size=_SMALL)
    x = Scale(1, max(within.epochs, 3), _LEFT, _WIDTH - _RIGHT)
    y = Scale(within.low, within.high, top + _HEIGHT - _BOTTOM, top)
    _draw_axes(drawing, x, y)
    if mark is not None:
        drawing.line((x(mark), y.start), (x(mark), y.end), "grey", dash="1 3")
    for line in lines:
        _draw_line(drawing, line, x, y)
    _name_lines(drawing, lines, x, y)
    return drawing


def _wrapped(title: str) -> list[str]:
    return textwrap.wrap(title, _TITLE_LETTERS, break_on_hyphens=False) or [""]


def _draw_axes(drawing: Drawing, x: Scale, y: Scale) -> None:
    levels = y.ticks(4)
    for level in levels:
        drawing.line((x.start, y(level)), (x.end, y(level)), "light")
        label = tick_label(level, levels)
        place = (x.start - _GAP, y(level) + 4)
        size = min(_SMALL, _SMALL * (x.start - _GAP) / width_of(label, _SMALL))
        drawing.text(place, label, "grey", anchor="end", size=size)
    epochs = x.ticks(6, whole=True)
    for epoch in epochs:
        label = tick_label(epoch, epochs)
        place = (x(epoch), y.start + 16)
        drawing.text(place, label, "grey", anchor="middle", size=_SMALL)
    drawing.line((x.start, y.start), (x.end, y.start), "grey")
    drawing.text((x.end + 16, y.start + 16), "epoch", "grey", size=_SMALL)


def _draw_line(drawing: Drawing, line: Line, x: Scale, y: Scale) -> None:
    epochs = range(1, len(line.values) + 1)
    if line.low:
        upper = [(x(e), _within(y, value)) for e, value in zip(epochs, line.high, strict=True)]
        lower = [(x(e), _within(y, value)) for e, value in zip(epochs, line.low, strict=True)]
        drawing.area([*upper, *reversed(lower)], line.role, 0.2)
    points = [(x(e), _within(y, value)) for e, value in zip(epochs, line.values, strict=True)]
    if len(points) > 1:
        drawing.curve(points, line.role)
    elif points:
        drawing.dot(points[0], 3.5, line.role)


def _within(y: Scale, value: float) -> float:
    """Return a value's position, clipped to the frame's edge if it is outside or NaN."""
    return y(min(max(value, y.low), y.high)) if value == value else y(y.high)


def _name_lines(drawing: Drawing, lines: Sequence[Line], x: Scale, y: Scale) -> None:
    """Write each name beside the end of its line, moved down where two would overlap."""
    lowest = -_APART
    for line in sorted((one for one in lines if one.values), key=lambda one: -one.values[-1]):
        end = _within(y, line.values[-1])
        lowest = max(end, lowest + _APART)
        place = (x.end + 8, min(lowest, y.start) + 4)
        drawing.text(place, line.name, line.role, size=_SMALL)
