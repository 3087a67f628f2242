"""The sort order of runs: by any metric, parameter or attribute."""

import math
from collections.abc import Sequence
from typing import TYPE_CHECKING

from pipeline.errors import did_you_mean
from pipeline.settings import SettingsError
from pipeline.settings.as_typed import as_number, label

if TYPE_CHECKING:
    from mlflow.entities import Run

_FACTS = {
    "started": "start_time",
    "ended": "end_time",
    "name": "run_name",
    "status": "status",
    "run_id": "run_id",
}
_DESCENDING = "-"


def in_order(runs: "Sequence[Run]", sort: str) -> "list[Run]":
    """Sort runs by `sort` in ascending order, or by `-sort` in descending order.

    Runs without a value come last. Numbers sort by size, text alphabetically.

    Raises:
        SettingsError: when no run has such a metric, parameter or attribute.
    """
    key = sort.removeprefix(_DESCENDING)
    known = {name for run in runs for name in (*_FACTS, *run.data.metrics, *run.data.params)}
    if runs and key not in known:
        raise SettingsError(
            [
                f"sort={sort} is neither a metric nor a parameter of these runs, nor "
                f"{', '.join(_FACTS)}{did_you_mean(key, known)}."
            ]
        )
    having = [run for run in runs if _place(run, key) is not None]
    without = [run for run in runs if _place(run, key) is None]
    having.sort(key=lambda run: _place(run, key) or (0.0, ""), reverse=sort != key)
    return [*having, *without]


def _place(run: "Run", key: str) -> tuple[float, str] | None:
    """Return the sort key of a run: numbers before text; None without a value."""
    if key in _FACTS:
        value = getattr(run.info, _FACTS[key])
    else:
        value = run.data.metrics.get(key, run.data.params.get(key))
    if value is None:
        return None
    number = as_number(value)
    if number is None:
        return math.inf, label(value)
    return None if math.isnan(number) else (number, "")
