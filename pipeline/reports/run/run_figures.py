"""Figures of one run: its curves, its confusion matrix, and the counts of each label."""

from collections.abc import Sequence

import numpy as np

from pipeline.reports.drawing.curve_panel import SPLITS, Line, curve_panel, frame
from pipeline.reports.drawing.pages import capitalized
from pipeline.reports.drawing.palette import Role
from pipeline.reports.drawing.svg import Drawing, width_of
from pipeline.settings.scores import SCORES
from pipeline.tasks.multilabel import LabelCounts
from pipeline.training.history import History

_CELL_HEIGHT = 34.0
_CELL, _WIDEST_CELL = 44.0, 76.0  # a cell is as wide as its name; wider names are rotated
_SMALL = 12.0
_SHADE = 0.55  # opacity of a cell that holds a whole row's counts; its text stays readable


def loss_curves(history: History) -> Drawing:
    """Draw training and validation loss by epoch."""
    return _curves(history, "loss", loss_title(history.epochs[0].measure))


def measure_curves(history: History) -> Drawing:
    """Draw training and validation accuracy, or another measure of the task, by epoch."""
    return _curves(history, "measure", capitalized(SCORES[history.epochs[0].measure].title))


def loss_title(measure: str) -> str:
    """Return the title of the loss of the tasks that compute a measure after each epoch."""
    return "Squared-error loss" if measure == "mae" else "Cross-entropy loss"


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
    """
    words = "row: true class, column: predicted"
    drawing, corner, cell = _table(classes, classes, words)
    shares = counts / np.maximum(counts.sum(axis=1, keepdims=True), 1)
    _draw_cells(drawing, counts, shares, corner, cell)
    return drawing


def label_figure(counted: Sequence[LabelCounts]) -> Drawing:
    """Draw how many examples have each label (rows), and how many of them were found.

    Cells are shaded by share of the examples that have the label, or do not have it.
    """
    columns = ("found", "missed", "wrongly found", "absent")
    drawing, corner, cell = _table(
        [one.name for one in counted], columns, "row: label, column: truth and prediction"
    )
    counts = np.array([[one.right, one.missed, one.wrong, one.absent] for one in counted])
    sides = counts.reshape(len(counts), 2, 2)
    shares = (sides / np.maximum(sides.sum(axis=2, keepdims=True), 1)).reshape(counts.shape)
    _draw_cells(drawing, counts, shares, corner, cell, (0, 3))
    return drawing


def _table(
    rows: Sequence[str], columns: Sequence[str], words: str
) -> tuple[Drawing, tuple[float, float], float]:
    """Return a drawing with named rows and columns, the corner of its cells and their width."""
    longest = max(map(width_of, columns))
    turned = longest + 10 > _WIDEST_CELL
    cell = _CELL if turned else max(_CELL, longest + 10)
    left, top = max(map(width_of, rows)) + 14, 44.0 + (0.75 * longest if turned else 14.0)
    room = 0.75 * longest if turned else 0.0  # for the rotated name of the last column
    width = max(left + cell * len(columns) + room, width_of(words, _SMALL))
    drawing = Drawing(width, top + _CELL_HEIGHT * len(rows) + 4)
    drawing.text((0, 14), "Test examples", bold=True)
    drawing.text((0, 32), words, "grey", size=_SMALL)
    for place, name in enumerate(columns):
        middle = left + cell * (place + 0.5)
        if turned:
            drawing.text((middle - 4, top - 8), name, turn=-45)
        else:
            drawing.text((middle, top - 8), name, anchor="middle")
    for place, name in enumerate(rows):
        height = top + _CELL_HEIGHT * (place + 0.5) + 5
        drawing.text((left - 8, height), name, anchor="end")
    return drawing, (left, top), cell


def _draw_cells(
    drawing: Drawing,
    counts: np.ndarray,
    shares: np.ndarray,
    corner: tuple[float, float],
    cell: float,
    right: Sequence[int] | None = None,
) -> None:
    """Write counts, those of right predictions bold: on the diagonal, or in the columns `right`."""
    for row, column in np.ndindex(*counts.shape):
        x, y = corner[0] + cell * column, corner[1] + _CELL_HEIGHT * row
        drawing.box((x + 1, y + 1), (cell - 2, _CELL_HEIGHT - 2), "light", 0.4)
        if shares[row, column]:
            shade = _SHADE * float(shares[row, column])
            drawing.box((x + 1, y + 1), (cell - 2, _CELL_HEIGHT - 2), "blue", shade)
        place, count = (x + cell / 2, y + _CELL_HEIGHT / 2 + 5), counts[row, column]
        role: Role = "ink" if count else "grey"
        bold = row == column if right is None else column in right
        drawing.text(place, str(count), role, anchor="middle", bold=bool(count) and bold)
