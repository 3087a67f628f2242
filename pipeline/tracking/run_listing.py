"""Lists runs, the newest first, without MLflow, whose import takes longer than a prediction."""

import sqlite3
from collections.abc import Iterator, Mapping
from contextlib import closing
from dataclasses import dataclass
from typing import Any

from pipeline.errors import StoreError
from pipeline.tracking import names
from pipeline.tracking.server_requests import check_server, post
from pipeline.tracking.store import Store, unknown_experiment

_PAGE = 1000


@dataclass(frozen=True)
class Asked:
    """Which runs to list.

    Attributes:
        beginning: of their ids.
        sweep: the id of a sweep that they are of; None for any.
        experiment: the name of their experiment; None for any.
    """

    beginning: str = ""
    sweep: str | None = None
    experiment: str | None = None


@dataclass(frozen=True)
class ListedRun:
    """What is needed to choose a run: MLflow's id, name, status, tags and last metrics."""

    run_id: str
    name: str
    status: str
    tags: Mapping[str, str]
    metrics: Mapping[str, float]

    @property
    def is_sweep(self) -> bool:
        """Whether it is the run that a sweep has for itself."""
        return self.tags.get(names.KIND) == names.SWEEP

    @property
    def trained_in(self) -> str | None:
        """The id of the sweep that trained it, or that it stands for."""
        return self.tags.get(names.SWEEP_ID if self.is_sweep else names.FIRST_SWEEP)


def list_runs(store: Store, asked: Asked) -> Iterator[ListedRun]:
    """List runs, the newest first.

    Raises:
        StoreError: when the store cannot be read, or has no such experiment.
    """
    return _locally(store, asked) if store.folder else _on_server(store, asked)


def _locally(store: Store, asked: Asked) -> Iterator[ListedRun]:
    database = store.database
    if database is None or not database.is_file():
        raise StoreError(f"There is no store at {database}; start where the run was trained.")
    # Not read-only: what a killed process left half written is rolled back by the next reader.
    uri = f"{database.as_uri()}?mode=rw"
    with closing(sqlite3.connect(uri, uri=True, timeout=60)) as connection:
        _expect_experiment(store, asked, connection)
        for run_id, name, status in connection.execute(_QUERY, _arguments(asked)):
            tags = dict(connection.execute(_TAGS, (run_id,)))
            metrics = dict(connection.execute(_METRICS, (run_id,)))
            yield ListedRun(run_id, name or "", status, tags, metrics)


_QUERY = """
    SELECT runs.run_uuid, runs.name, runs.status FROM runs
    JOIN experiments ON experiments.experiment_id = runs.experiment_id
    WHERE runs.lifecycle_stage = 'active' AND runs.run_uuid LIKE :beginning || '%'
      AND (:experiment IS NULL OR experiments.name = :experiment)
      AND (:tag IS NULL OR EXISTS (
        SELECT 1 FROM tags WHERE tags.run_uuid = runs.run_uuid AND tags.key = :tag))
    ORDER BY runs.start_time DESC, runs.run_uuid
"""
_TAGS = "SELECT key, value FROM tags WHERE run_uuid = ?"
_METRICS = "SELECT key, value FROM latest_metrics WHERE run_uuid = ? AND NOT is_nan"


def _arguments(asked: Asked) -> dict[str, str | None]:
    tag = None if asked.sweep is None else names.sweep_tag(asked.sweep)
    return {"beginning": asked.beginning, "experiment": asked.experiment, "tag": tag}


def _expect_experiment(store: Store, asked: Asked, connection: sqlite3.Connection) -> None:
    if asked.experiment is None:
        return
    query = "SELECT name FROM experiments WHERE lifecycle_stage = 'active'"
    names = [name for (name,) in connection.execute(query)]
    if asked.experiment not in names:
        raise unknown_experiment(store, asked.experiment, names)


def _on_server(store: Store, asked: Asked) -> Iterator[ListedRun]:
    check_server(store.uri)
    found = _pages(store, "experiments", {})
    ids = {one["name"]: one["experiment_id"] for one in found}
    if asked.experiment is not None and asked.experiment not in ids:
        raise unknown_experiment(store, asked.experiment, list(ids))
    question = {
        "experiment_ids": [ids[asked.experiment]] if asked.experiment else list(ids.values()),
        "filter": _filter(asked),
        "order_by": ["attributes.start_time DESC"],
    }
    yield from map(_read, _pages(store, "runs", question))


def _filter(asked: Asked) -> str:
    conditions = [f"attributes.run_id LIKE '{asked.beginning}%'"] if asked.beginning else []
    conditions += [f"tags.`{names.sweep_tag(asked.sweep)}` LIKE '%'"] if asked.sweep else []
    return " AND ".join(conditions)


def _read(run: Mapping[str, Any]) -> ListedRun:
    info, data = run["info"], run.get("data", {})
    return ListedRun(
        info["run_id"],
        info.get("run_name", ""),
        info["status"],
        {tag["key"]: tag["value"] for tag in data.get("tags", [])},
        {one["key"]: float(one["value"]) for one in data.get("metrics", [])},
    )


def _pages(store: Store, kind: str, question: Mapping[str, Any]) -> Iterator[Mapping[str, Any]]:
    """All experiments, or all runs, that a question finds."""
    path, token = f"{kind}/search", ""
    while True:
        page_of = {**question, "max_results": _PAGE, "page_token": token}
        answer = post(store.uri, f"/api/2.0/mlflow/{path}", page_of)
        if not answer.ok:
            raise StoreError(f"tracking.uri={store.uri} answers {answer.status_code} to {path}.")
        page = answer.json()
        yield from page.get(kind, [])
        token = page.get("next_page_token", "")
        if not token:
            return
