"""The regression task: one or several numbers per example."""

from collections.abc import Sequence
from dataclasses import asdict, dataclass
from typing import Any

import numpy as np
from sklearn.metrics import r2_score

from pipeline.tasks.task import Array, Task, plain_names

NEARLY_CONSTANT = 0.01  # share of the labels' standard deviation below which nothing varies


@dataclass(frozen=True)
class TargetScores:
    """The errors of one target, or their mean over the targets.

    Attributes:
        name: name of the target.
        r2: coefficient of determination; NaN with fewer than two examples.
        mae: mean absolute error, in the unit of the target.
        rmse: root mean squared error, in the unit of the target.
        bias: mean of prediction minus truth.
        support: number of examples.
    """

    name: str
    r2: float
    mae: float
    rmse: float
    bias: float
    support: int


class Regression(Task):
    """One or several numbers per example, `(N, targets)`, without an activation."""

    name = "regression"
    loss = "mean_squared_error"
    metric = "mean_absolute_error"
    activation = "linear"
    compared = {"r2": "R²", "mae": "mean absolute error"}  # noqa: RUF012
    baseline_title = "mean of the training data"
    baseline_kind = "mean"
    value, values = "predicted value", "predicted values"
    tiles = ("r2", "mae")
    unit = "target"
    columns = {"r2": "R²", "mae": "MAE", "rmse": "RMSE", "bias": "bias"}  # noqa: RUF012
    degenerate = "nearly one value"
    mistakes = "Largest errors"
    stored_as = "values"
    row_type = TargetScores

    def epoch_loss(self, outputs: Array, labels: Array) -> float:
        """Return the mean squared error, over examples and targets."""
        return float(np.square(_errors(outputs, labels)).mean())

    def epoch_measure(self, outputs: Array, labels: Array) -> float:
        """Return the mean absolute error, over examples and targets."""
        return float(np.abs(_errors(outputs, labels)).mean())

    def scores(self, outputs: Array, labels: Array, names: Sequence[str]) -> dict[str, float]:
        """Return loss, R², MAE and RMSE, each a mean over targets, and R² and MAE per target."""
        *targets, mean = self.rows(outputs, labels, names)
        found = {"loss": self.epoch_loss(outputs, labels)}
        found |= {name: getattr(mean, name) for name in ("r2", "mae", "rmse")}
        if len(targets) > 1:
            for plain, target in zip(plain_names(names), targets, strict=True):
                found |= {f"r2/{plain}": target.r2, f"mae/{plain}": target.mae}
        return found

    def name_scores(self, names: Sequence[str]) -> dict[str, str]:
        """Return R² and MAE per target, by title, if there are several."""
        if len(names) == 1:
            return {}
        return {
            f"{title} of {name}": f"{score}/{plain}"
            for score, title in (("r2", "R²"), ("mae", "MAE"))
            for name, plain in zip(names, plain_names(names), strict=True)
        }

    def baseline(self, train: Array, test: Array, names: Sequence[str]) -> dict[str, float]:
        """Score predicting the mean of the training labels."""
        mean = _columns(train).mean(axis=0, dtype=np.float64)
        scores = self.scores(np.tile(mean, (len(test), 1)), test, names)
        return {name: scores[name] for name in ("r2", "mae", "rmse")}

    def report(self, outputs: Array, labels: Array, names: Sequence[str]) -> str:
        """Return errors per target, and the quantiles of the residuals, as a text table."""
        return f"{_score_table(self.rows(outputs, labels, names))}\n\n" + _residual_table(
            _errors(outputs, labels), names
        )

    def rows(self, outputs: Array, labels: Array, names: Sequence[str]) -> list[TargetScores]:
        """Return the errors per target, and their means."""
        true, errors = _columns(labels).astype(np.float64), _errors(outputs, labels)
        targets = [
            TargetScores(
                name,
                r2=_r2(true[:, place], outputs[:, place]),
                mae=float(np.abs(errors[:, place]).mean()),
                rmse=float(np.sqrt(np.square(errors[:, place]).mean())),
                bias=float(errors[:, place].mean()),
                support=len(labels),
            )
            for place, name in enumerate(names)
        ]
        means = {
            key: float(np.mean([getattr(one, key) for one in targets]))
            for key in ("r2", "mae", "rmse", "bias")
        }
        return [*targets, TargetScores("mean", **means, support=len(labels))]

    def degeneration(self, outputs: Array, labels: Array, names: Sequence[str]) -> str | None:
        """Describe a model whose predictions vary by less than 1 % of the labels' spread."""
        spread = outputs.std(axis=0, dtype=np.float64)
        of_labels = _columns(labels).std(axis=0, dtype=np.float64)
        if not (spread < NEARLY_CONSTANT * of_labels).all():
            return None
        told = _told(outputs.mean(axis=0, dtype=np.float64), names)
        return f"predicts {told} for every example"

    def compared_scores(self, outputs: Array, labels: Array) -> dict[str, float]:
        """Return R² and mean absolute error, each a mean over targets."""
        true = _columns(labels).astype(np.float64)
        return {
            "r2": float(np.mean([_r2(*pair) for pair in zip(true.T, outputs.T, strict=True)])),
            "mae": self.epoch_measure(outputs, labels),
        }

    def decisions(self, outputs: Array) -> None:
        """None: nothing is decided."""

    def truth(self, label: Any, names: Sequence[str]) -> str:
        """Return the target's value, with its name if there are several."""
        return _told(np.atleast_1d(label), names)

    def prediction(self, output: Array, names: Sequence[str]) -> str:
        """Return the predicted value, with its name if there are several."""
        return _told(output, names)

    def worst(self, outputs: Array, labels: Array) -> Array:
        """Return all examples, those with the largest error first, in units of its spread."""
        errors = _errors(outputs, labels)
        scale = errors.std(axis=0)
        size = np.abs(errors / np.where(scale > 0, scale, 1)).max(axis=1)
        return np.argsort(-np.nan_to_num(size, nan=np.inf), kind="stable")

    def certainty(self, output: Array, label: Any) -> None:
        """None: values have no probability."""


def _columns(labels: Array) -> Array:
    return labels.reshape(len(labels), -1)


def _errors(outputs: Array, labels: Array) -> Array:
    """Return prediction minus truth, float64 `(N, targets)`."""
    return outputs.astype(np.float64) - _columns(labels).astype(np.float64)


def _r2(true: Array, predicted: Array) -> float:
    known = len(true) > 1 and np.isfinite(predicted).all()
    return float(r2_score(true, predicted)) if known else float("nan")


def _told(values: Array, names: Sequence[str]) -> str:
    if len(names) == 1:
        return f"{float(values[0]):.6g}"
    pairs = zip(names, values, strict=True)
    return ", ".join(f"{name} {float(value):.6g}" for name, value in pairs)


def _score_table(rows: Sequence[TargetScores]) -> str:
    cells = [
        [
            one.name,
            *(f"{value:.4f}" for value in list(asdict(one).values())[1:-1]),
            f"{one.support}",
        ]
        for one in rows
    ]
    return _aligned([["target", "R²", "MAE", "RMSE", "bias", "support"], *cells])


def _residual_table(errors: Array, names: Sequence[str]) -> str:
    shares = (0, 5, 25, 50, 75, 95, 100)
    cells = [
        [name, *(f"{value:.4f}" for value in np.percentile(errors[:, place], shares))]
        for place, name in enumerate(names)
    ]
    head = ["residual", "least", "5 %", "25 %", "median", "75 %", "95 %", "most"]
    return _aligned([head, *cells])


def _aligned(rows: Sequence[Sequence[str]]) -> str:
    widths = [max(map(len, column)) for column in zip(*rows, strict=True)]
    return "\n".join(
        "  ".join(
            cell.rjust(width) if place else cell.ljust(width)
            for place, (cell, width) in enumerate(zip(row, widths, strict=True))
        )
        for row in rows
    )
