"""Figures of one run: its curves and its confusion matrix.

Lines carry their own names, colours are told apart by colour-blind readers (Okabe & Ito, 2008).
"""

from collections.abc import Sequence
from typing import NamedTuple

import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.ticker import MaxNLocator

from pipeline.training_history import Epoch, History

BLUE, ORANGE, GREY = "#0072B2", "#D55E00", "#666666"
_SIZE = (6.4, 4.0)  # inches
_CELL = 0.62  # inches a class in the confusion matrix


def loss_curves(history: History) -> Figure:
    """Training and validation loss by epoch."""
    return _curves(history, "loss", "Cross-entropy loss")


def accuracy_curves(history: History) -> Figure:
    """Training and validation accuracy by epoch."""
    figure = _curves(history, "accuracy", "Accuracy")
    figure.axes[0].set_ylim(top=min(1.02, figure.axes[0].get_ylim()[1]))
    return figure


def confusion_figure(counts: np.ndarray, classes: Sequence[str]) -> Figure:
    """Counts of each true class (rows) by predicted class (columns), shaded by share of the row.

    Args:
        counts: `(C, C)` integers.
        classes: C names.
    """
    side = 2.2 + _CELL * len(classes)
    figure = Figure(figsize=(side, side), layout="constrained")
    axes = figure.add_subplot()
    shares = counts / np.maximum(counts.sum(axis=1, keepdims=True), 1)
    axes.imshow(shares, cmap="Blues", vmin=0, vmax=1)
    for row, column in np.ndindex(*counts.shape):
        colour = "white" if shares[row, column] > 0.5 else "black"
        axes.text(column, row, str(counts[row, column]), ha="center", va="center", color=colour)
    places = range(len(classes))
    written = {"parse_math": False}  # a class may be called $
    axes.set_xticks(places, classes, rotation=45, ha="right", rotation_mode="anchor", **written)
    axes.set_yticks(places, classes, **written)
    axes.set(xlabel="Predicted", ylabel="True", title="Test examples")
    axes.spines[:].set_visible(False)
    axes.tick_params(length=0)
    return figure


def _curves(history: History, quantity: str, name: str) -> Figure:
    figure = Figure(figsize=_SIZE, layout="constrained")
    axes = figure.add_subplot()
    _mark_best(axes, history.best)
    ends = []
    for split, colour in (("train", BLUE), ("validation", ORANGE)):
        values = [getattr(epoch, f"{quantity}_{split}") for epoch in history.epochs]
        numbers = [epoch.number for epoch in history.epochs]
        marker = "o" if len(numbers) < 25 else None
        axes.plot(numbers, values, color=colour, marker=marker, markersize=3.5)
        ends.append(_End(split, colour, values[-1]))
    axes.set(xlabel="Epoch", ylabel=name)
    axes.xaxis.set_major_locator(MaxNLocator(integer=True))
    axes.spines[["top", "right"]].set_visible(False)
    axes.grid(axis="y", color="#DDDDDD", linewidth=0.6)
    _label(axes, ends)
    return figure


def _mark_best(axes: Axes, best: Epoch) -> None:
    axes.axvline(best.number, color=GREY, linewidth=0.8, linestyle=":")
    axes.annotate(
        f"least validation loss: epoch {best.number}",
        (best.number, 1.0),
        xycoords=("data", "axes fraction"),
        xytext=(0, 4),
        textcoords="offset points",
        ha="center",
        fontsize="small",
        color=GREY,
        annotation_clip=False,
    )


class _End(NamedTuple):
    """Where a line ends, and what to write there."""

    name: str
    colour: str
    height: float


def _label(axes: Axes, ends: Sequence[_End]) -> None:
    """Write each line's name beside its last point, moved apart where they would overlap."""
    low, high = axes.get_ylim()
    lowest = -np.inf
    for end in sorted(ends, key=lambda end: end.height):
        lowest = max(end.height, lowest + (high - low) * 0.06)
        axes.annotate(
            end.name,
            (1.0, lowest),
            xycoords=("axes fraction", "data"),
            xytext=(6, 0),
            textcoords="offset points",
            va="center",
            color=end.colour,
            annotation_clip=False,
        )
