"""Tables of runs as pandas data frames."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import pandas as pd

from pipeline.reports.study.varied import told_apart_by
from pipeline.settings.as_typed import logged_parameters
from pipeline.tracking import names

if TYPE_CHECKING:
    from mlflow.entities import Run

    from pipeline.sweep.schedule import ScheduledJob

_SCORES = (names.VALIDATION, names.TEST)
_SWITCH = {"true": True, "false": False}


@dataclass(frozen=True)
class _Row:
    """A row of a table: parameters in command-line spelling, and everything else."""

    params: Mapping[str, str]
    first: Mapping[str, Any]
    rest: Mapping[str, Any]


def runs_frame(
    runs: Sequence["Run"], experiments: Mapping[str, str], jobs: Sequence["ScheduledJob"] = ()
) -> pd.DataFrame:
    """Return one row per run, and one per job without a run.

    Args:
        runs: the runs, in the order of the rows.
        experiments: names of experiments by id.
        jobs: planned jobs that have no run; their `status` is the job's state.

    Returns:
        The columns `run_id`, `name` and `status`; the settings that differ; the scores on
        validation and test data; `parity`, `degenerate`, `seconds`, `error`, `experiment` and
        `started`.
    """
    rows = [_of_run(run, experiments) for run in runs] + [_of_job(job) for job in jobs]
    settings = told_apart_by([row.params for row in rows])
    table = pd.DataFrame([_whole(row, settings) for row in rows])
    return table.assign(**{key: _typed(table[key]) for key in settings})


def _of_run(run: "Run", experiments: Mapping[str, str]) -> _Row:
    info, tags, metrics = run.info, run.data.tags, run.data.metrics
    scores = {key: value for key, value in metrics.items() if _is_score(key)}
    return _Row(
        logged_parameters(run.data.params),
        {"run_id": info.run_id, "name": info.run_name, "status": info.status},
        {
            **dict(sorted(scores.items(), key=lambda score: not score[0].startswith(_SCORES[0]))),
            "parity": tags.get(names.PARITY),
            "degenerate": tags.get(names.DEGENERATE),
            "seconds": metrics.get(names.SECONDS),
            "error": tags.get(names.ERROR),
            "experiment": experiments.get(info.experiment_id),
            "started": pd.Timestamp(info.start_time, unit="ms", tz="UTC"),
        },
    )


def _is_score(metric: str) -> bool:
    """Return whether a metric is a score of a whole split, not of a single class."""
    return metric.startswith(_SCORES) and metric.count("/") == 1


def _of_job(scheduled: "ScheduledJob") -> _Row:
    job, standing = scheduled.job, scheduled.standing
    name = " ".join(job.overrides) or f"model={job.settings.model_name}"
    first = {"run_id": standing.run_id, "name": name, "status": standing.state}
    return _Row(job.parameters, first, {"experiment": job.settings.place.experiment})


def _whole(row: _Row, settings: Sequence[str]) -> dict[str, Any]:
    return {**row.first, **{key: row.params.get(key) for key in settings}, **row.rest}


def _typed(column: "pd.Series[Any]") -> "pd.Series[Any]":
    """Return a setting's values as numbers or booleans if all of them are."""
    if column.isin(_SWITCH).all():
        return column.map(_SWITCH)
    try:
        return pd.to_numeric(column)
    except (ValueError, TypeError):
        return column
