"""Links that open a sweep's runs in the MLflow UI."""

import json
import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any
from urllib.parse import quote

from pipeline.tracking import names
from pipeline.tracking.membership import shortened
from pipeline.tracking.queries import members
from pipeline.tracking.ranking import Criterion
from pipeline.tracking.store import Store

LOCAL_UI = "http://127.0.0.1:5000"
_CURVES = "-curves"  # suffix of the name of a sweep's second view
_LONGEST_NAME = 100


@dataclass(frozen=True)
class ViewedSweep:
    """The content of a sweep's views."""

    sweep_id: str
    title: str  # its overrides, `model=lstm units=32,64`
    varied: Sequence[str]  # parameters whose values distinguish its runs
    criterion: Criterion  # what its runs are ranked by
    measures: Sequence[str] = ("accuracy",)  # what was computed after each epoch, beside the loss


@dataclass(frozen=True)
class SweepView:
    """How to open a sweep in the MLflow UI."""

    command: str | None  # starts the UI; None for a server, which is already running
    link: str  # link to the table of its runs
    curves: str  # link to their curves


def save_sweep_view(store: Store, experiment_id: str, sweep: ViewedSweep) -> SweepView:
    """Store two views of a sweep's runs: a table, best first, and curves by varied key.

    MLflow stores shared views as experiment tags. Their format belongs to its UI: if a later
    version does not know it, the links still open the experiment's runs.
    """
    criterion, key = sweep.criterion, sweep.sweep_id
    scores = (f"metrics.`{name}`" for name in (criterion.metric, criterion.test_metric))
    table = {
        "searchFilter": members(key),
        "orderByKey": f"metrics.`{criterion.metric}`",
        "orderByAsc": criterion.least,
        "selectedColumns": [
            *(f"params.`{name}`" for name in sweep.varied),
            *scores,
            f"tags.`{names.PARITY}`",  # no duration column, which would push parity out of view
        ],
    }
    title = shortened(sweep.title, _LONGEST_NAME)
    _save(store, experiment_id, key, f"{title} (best {criterion.metric} first)", table)
    grouped_by = [name for name in sweep.varied if name != "seed"]
    curves = {**table, **_charts(grouped_by, sweep.measures)}
    _save(store, experiment_id, key + _CURVES, f"{title} (curves)", curves)
    address = LOCAL_UI if store.folder else store.uri
    command = "python -m pipeline.ui" if store.folder else None
    return SweepView(command, *_pages(address, experiment_id, key))


def _save(store: Store, experiment_id: str, key: str, name: str, state: Mapping[str, Any]) -> None:
    now = int(time.time() * 1000)
    view = {"name": name, "createdAt": now, "updatedAt": now, "state": json.dumps(state)}
    store.client.set_experiment_tag(experiment_id, f"{names.SHARED_VIEW}{key}", json.dumps(view))


def _charts(grouped_by: Sequence[str], measures: Sequence[str]) -> dict[str, Any]:
    """Return a chart section of curves: the mean of each group, within its range."""
    drawn = dict.fromkeys(metric for one in measures for metric in names.curves(one))
    section = {"uuid": "curves", "name": "Curves by epoch", "display": True, "isReordered": True}
    group = {
        "aggregateFunction": "average",
        "groupByKeys": [{"mode": "param", "groupByData": key} for key in grouped_by],
    }
    return {
        "groupBy": group if grouped_by else None,
        "runsHiddenMode": "FIRST_20_RUNS",
        "runListHidden": False,
        "isAccordionReordered": True,
        "compareRunCharts": [_line_chart(metric) for metric in drawn],
        "compareRunSections": [{**section, "columns": 2, "cardHeight": 300}],
    }


def _line_chart(metric: str) -> dict[str, Any]:
    axis = {"xAxisKey": "step", "xAxisScaleType": "linear", "scaleType": "linear", "range": {}}
    return {
        "type": "LINE",
        "uuid": metric,
        "metricKey": metric,
        "selectedMetricKeys": [metric],
        "metricSectionId": "curves",
        "lineSmoothness": 0,
        **axis,
    }


def latest_views(store: Store, address: str) -> tuple[str, ...]:
    """Return links to the newest saved sweep, for a server at `address`; else to its front page."""
    saved = [
        (
            json.loads(view)["updatedAt"],
            experiment.experiment_id,
            key.removeprefix(names.SHARED_VIEW),
        )
        for experiment in store.client.search_experiments()
        for key, view in experiment.tags.items()
        if key.startswith(names.SHARED_VIEW) and not key.endswith(_CURVES)
    ]
    return _pages(address, *max(saved)[1:]) if saved else (address,)


def _pages(address: str, experiment_id: str, sweep_id: str) -> tuple[str, str]:
    """Return links to a sweep's table and to its curves."""
    page = f"{address}/#/experiments/{experiment_id}/runs?workflowType=machine_learning"
    shown = f"{page}&viewStateShareKey={quote(sweep_id)}"
    return shown, f"{shown}{_CURVES}&compareRunsMode=CHART"


def artifact_link(store: Store, experiment_id: str, run_id: str, path: str) -> str:
    """Return the address of one artifact of a run in the MLflow UI."""
    address = LOCAL_UI if store.folder else store.uri
    return (
        f"{address}/#/experiments/{experiment_id}/runs/{run_id}/artifacts/{path}"
        "?workflowType=machine_learning"
    )
