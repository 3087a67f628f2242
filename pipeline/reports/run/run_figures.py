"""Figures of one run: its curves and its confusion matrix."""

from collections.abc import Sequence

import numpy as np

from pipeline.reports.drawing.curve_panel import SPLITS, Line, curve_panel, frame
from pipeline.reports.drawing.palette import Role
from pipeline.reports.drawing.svg import Drawing, width_of
from pipeline.training.history import History

_CELL_HEIGHT = 34.0
_CELL, _WIDEST_CELL = 44.0, 76.0  # a cell is as wide as its name; wider names are rotated
_SHADE = 0.55  # opacity of a cell that holds a whole row's counts; its text stays readable


def loss_curves(history: History) -> Drawing:
    """Draw training and validation loss by epoch."""
    return _curves(history, "loss", "Cross-entropy loss")


def accuracy_curves(history: History) -> Drawing:
    """Draw training and validation accuracy by epoch."""
    return _curves(history, "accuracy", "Accuracy")


def _curves(history: History, quantity: str, title: str) -> Drawing:
    lines = [
        Line(name, role, [getattr(epoch, f"{quantity}_{name}") for epoch in history.epochs])
        for name, role in SPLITS
    ]
    best = history.best.number
    note = f"least validation loss: epoch {best}"
    return curve_panel(title, lines, frame([lines], [title]), note, mark=best)


def confusion_figure(counts: np.ndarray, classes: Sequence[str]) -> Drawing:
    """Draw the counts of true (rows) by predicted classes (columns), shaded by share of the row.

    Args:
        counts: `(C, C)` integers.
        classes: C names.
    """
    longest = max(map(width_of, classes))
    turned = longest + 10 > _WIDEST_CELL
    cell = _CELL if turned else max(_CELL, longest + 10)
    left, top = longest + 14, 44.0 + (0.75 * longest if turned else 14.0)
    room = 0.75 * longest if turned else 0.0  # for the rotated name of the last column
    drawing = Drawing(left + cell * len(classes) + room, top + _CELL_HEIGHT * len(classes) + 4)
    drawing.text((0, 14), "Test examples", bold=True)
    drawing.text((0, 32), "row: true class, column: predicted", "grey", size=12)
    for place, name in enumerate(classes):
        middle = left + cell * (place + 0.5)
        if turned:
            drawing.text((middle - 4, top - 8), name, turn=-45)
        else:
            drawing.text((middle, top - 8), name, anchor="middle")
        height = top + _CELL_HEIGHT * (place + 0.5) + 5
        drawing.text((left - 8, height), name, anchor="end")
    _draw_cells(drawing, counts, (left, top), cell)
    return drawing


def _draw_cells(
    drawing: Drawing, counts: np.ndarray, corner: tuple[float, float], cell: float
) -> None:
    shares = counts / np.maximum(counts.sum(axis=1, keepdims=True), 1)
    for row, column in np.ndindex(*counts.shape):
        x, y = corner[0] + cell * column, corner[1] + _CELL_HEIGHT * row
        drawing.box((x + 1, y + 1), (cell - 2, _CELL_HEIGHT - 2), "light", 0.4)
        if shares[row, column]:
            shade = _SHADE * float(shares[row, column])
            drawing.box((x + 1, y + 1), (cell - 2, _CELL_HEIGHT - 2), "blue", shade)
        place, count = (x + cell / 2, y + _CELL_HEIGHT / 2 + 5), counts[row, column]
        role: Role = "ink" if count else "grey"
        drawing.text(place, str(count), role, anchor="middle", bold=bool(count) and row == column)
