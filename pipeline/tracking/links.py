"""Links into the MLflow UI that show a sweep's runs without a click."""

import json
import time
from collections.abc import Sequence
from dataclasses import dataclass
from urllib.parse import quote

from pipeline.tracking.results import members
from pipeline.tracking.store import Store

LOCAL_UI = "http://127.0.0.1:5000"
_VIEW = "mlflow.sharedViewState."
RESULT_COLUMNS = (
    "metrics.`test/f1_macro`",
    "metrics.`test/accuracy`",
    "tags.`parity`",
    "attributes.`Duration`",
)


@dataclass(frozen=True)
class SweepView:
    """How a person opens a sweep: the command that starts the UI (none for a server), the link."""

    command: str | None
    link: str


def save_sweep_view(
    store: Store, experiment_id: str, sweep_id: str, varied: Sequence[str]
) -> SweepView:
    """Store a view of the sweep's runs, best first, its varied keys as columns.

    MLflow keeps shared views as an experiment tag. The format is its UI's own: should a later
    version not know it, the link still opens the experiment's runs.
    """
    now = int(time.time() * 1000)
    state = {
        "searchFilter": members(sweep_id),
        "orderByKey": "metrics.`test/f1_macro`",
        "orderByAsc": False,
        "selectedColumns": [*(f"params.`{key}`" for key in varied), *RESULT_COLUMNS],
    }
    view = {"name": f"sweep {sweep_id}", "createdAt": now, "updatedAt": now}
    store.client.set_experiment_tag(
        experiment_id,
        f"{_VIEW}{sweep_id}",
        json.dumps({**view, "state": json.dumps(state)}),
    )
    return SweepView(_ui_command(store), _link(store, experiment_id, sweep_id))


def latest_view(store: Store, address: str) -> str:
    """Link to the newest saved sweep of a store as served at `address`; its front page if none."""
    saved = [
        (json.loads(view)["updatedAt"], experiment.experiment_id, key.removeprefix(_VIEW))
        for experiment in store.client.search_experiments()
        for key, view in experiment.tags.items()
        if key.startswith(_VIEW)
    ]
    return _page(address, *max(saved)[1:]) if saved else address


def _link(store: Store, experiment_id: str, sweep_id: str) -> str:
    return _page(LOCAL_UI if store.folder else store.uri, experiment_id, sweep_id)


def _page(address: str, experiment_id: str, sweep_id: str) -> str:
    return (
        f"{address}/#/experiments/{experiment_id}/runs"
        f"?workflowType=machine_learning&viewStateShareKey={quote(sweep_id)}"
    )


def artifact_link(store: Store, experiment_id: str, run_id: str, path: str) -> str:
    """Address that opens one artifact of a run in the MLflow UI."""
    address = LOCAL_UI if store.folder else store.uri
    return (
        f"{address}/#/experiments/{experiment_id}/runs/{run_id}/artifacts/{path}"
        "?workflowType=machine_learning"
    )


def _ui_command(store: Store) -> str | None:
    if store.folder is None:
        return None
    return f"mlflow ui --backend-store-uri {store.uri}"
