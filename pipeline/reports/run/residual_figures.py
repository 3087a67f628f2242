"""Figures of a regression: predicted against true values, and residuals; a panel per target."""

from collections.abc import Sequence

import numpy as np

from pipeline.reports.drawing.scale import Scale, tick_label
from pipeline.reports.drawing.svg import Drawing, sheet

MOST_DOTS = 500  # per panel; a page of 10,000 dots would have a megabyte
_SIDE, _LEFT, _BOTTOM, _TOP, _RIGHT = 240.0, 58.0, 36.0, 44.0, 24.0
_COLUMNS, _SMALL = 3, 12.0


def predicted_against_true(
    true: np.ndarray, predicted: np.ndarray, names: Sequence[str]
) -> Drawing:
    """Draw a dot per example, and the line on which predictions are right.

    Args:
        true: `(N, targets)`.
        predicted: `(N, targets)`.
    """
    panels = []
    for place, name in enumerate(names):
        pair = _shown(true[:, place], predicted[:, place])
        low, high = _reach(np.concatenate(pair))
        drawing, x, y = _panel(name, "true value", "predicted", (low, high), (low, high), pair)
        drawing.line((x(low), y(low)), (x(high), y(high)), "orange", 1.5, "5 4")
        panels.append(drawing)
    return sheet(panels, _COLUMNS)


def residuals(true: np.ndarray, predicted: np.ndarray, names: Sequence[str]) -> Drawing:
    """Draw prediction minus truth of each example by its predicted value.

    Args:
        true: `(N, targets)`.
        predicted: `(N, targets)`.
    """
    panels = []
    for place, name in enumerate(names):
        truth, values = _shown(true[:, place], predicted[:, place])
        pair = (values, values - truth)
        low, high = _reach(np.append(pair[1], 0.0))
        across = _reach(values)
        drawing, x, y = _panel(name, "predicted value", "residual", across, (low, high), pair)
        drawing.line((x.start, y(0.0)), (x.end, y(0.0)), "orange", 1.5, "5 4")
        panels.append(drawing)
    return sheet(panels, _COLUMNS)


def _shown(true: np.ndarray, predicted: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Return at most `MOST_DOTS` finite pairs, float64, evenly spread over the examples."""
    finite = np.flatnonzero(np.isfinite(true) & np.isfinite(predicted))
    if len(finite) > MOST_DOTS:
        finite = finite[np.linspace(0, len(finite) - 1, MOST_DOTS).astype(int)]
    return true[finite].astype(np.float64), predicted[finite].astype(np.float64)


def _reach(values: np.ndarray) -> tuple[float, float]:
    if not len(values):
        return 0.0, 1.0
    low, high = float(values.min()), float(values.max())
    room = 0.04 * (high - low) or 0.04 * abs(high) or 0.5
    return low - room, high + room


def _panel(
    name: str,
    across: str,
    up: str,
    wide: tuple[float, float],
    tall: tuple[float, float],
    dots: tuple[np.ndarray, np.ndarray],
) -> tuple[Drawing, Scale, Scale]:
    drawing = Drawing(_LEFT + _SIDE + _RIGHT, _TOP + _SIDE + _BOTTOM + 8)
    drawing.text((0, 14), name, bold=True)
    drawing.text((0, 32), f"{up} ({len(dots[0])} test examples)", "grey", size=_SMALL)
    x = Scale(*wide, _LEFT, _LEFT + _SIDE)
    y = Scale(*tall, _TOP + _SIDE, _TOP)
    _draw_axes(drawing, x, y, across)
    for first, second in zip(*dots, strict=True):
        drawing.dot((x(first), y(second)), 2.5, "blue", 0.5)
    return drawing, x, y


def _draw_axes(drawing: Drawing, x: Scale, y: Scale, across: str) -> None:
    columns, levels = x.ticks(4), y.ticks(4)
    for tick in columns:
        drawing.line((x(tick), y.start), (x(tick), y.end), "light")
        label, place = tick_label(tick, columns), (x(tick), y.start + 16)
        drawing.text(place, label, "grey", anchor="middle", size=_SMALL)
    for level in levels:
        drawing.line((x.start, y(level)), (x.end, y(level)), "light")
        label, place = tick_label(level, levels), (x.start - 6, y(level) + 4)
        drawing.text(place, label, "grey", anchor="end", size=_SMALL)
    drawing.text((x.start, y.start + 34), across, "grey", size=_SMALL)
