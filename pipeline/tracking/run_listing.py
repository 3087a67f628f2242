"""Lists runs, newest first, without MLflow, whose import takes longer than a prediction."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from pipeline.errors import StoreError
from pipeline.tracking import names, sqlite_reader
from pipeline.tracking.server_requests import check_server, post
from pipeline.tracking.sqlite_reader import UnknownSchemaError
from pipeline.tracking.store import Store, check_store, open_local, unknown_experiment

_PAGE = 1000


@dataclass(frozen=True)
class Asked:
    """A selection of runs."""

    beginning: str = ""  # prefix of their ids
    sweep: str | None = None  # id of a sweep that contains them; None for any
    experiment: str | None = None  # name of their experiment; None for any


@dataclass(frozen=True)
class ListedRun:
    """The data for choosing a run: MLflow's id, name, status, tags and last metrics."""

    run_id: str
    name: str
    status: str
    tags: Mapping[str, str]
    metrics: Mapping[str, float]

    @property
    def is_sweep(self) -> bool:
        """Whether it is a sweep's own run."""
        return self.tags.get(names.KIND) == names.SWEEP

    @property
    def task(self) -> str:
        """The meaning of its outputs."""
        return names.task_of(self.tags)

    @property
    def trained_in(self) -> str | None:
        """The id of the sweep that trained it, or whose own run it is."""
        return self.tags.get(names.SWEEP_ID if self.is_sweep else names.FIRST_SWEEP)


def list_runs(store: Store, asked: Asked) -> Iterator[ListedRun]:
    """List runs, newest first.

    Raises:
        StoreError: when the store cannot be read, or the experiment does not exist.
    """
    if store.folder is None:
        yield from _on_server(store, asked)
        return
    check_store(store.folder)
    try:
        experiments = sqlite_reader.experiments(store.folder)
        _expect_experiment(store, asked, experiments)
        found = sqlite_reader.runs_newest_first(
            store.folder, asked.beginning, asked.experiment, _sweep_tag(asked)
        )
        yield from (ListedRun(*run) for run in found)
    except UnknownSchemaError:
        yield from _through_mlflow(open_local(store.folder.parent), asked)


def _sweep_tag(asked: Asked) -> str | None:
    return names.sweep_tag(asked.sweep) if asked.sweep else None


def _expect_experiment(store: Store, asked: Asked, there: Sequence[str]) -> None:
    if asked.experiment is not None and asked.experiment not in there:
        raise unknown_experiment(store, asked.experiment, there)


def _through_mlflow(store: Store, asked: Asked) -> Iterator[ListedRun]:
    ids = {one.name: one.experiment_id for one in store.client.search_experiments()}
    _expect_experiment(store, asked, list(ids))
    wanted = [ids[asked.experiment]] if asked.experiment else list(ids.values())
    for run in store.search_runs(wanted, _filter(asked)):
        info, data = run.info, run.data
        yield ListedRun(info.run_id, info.run_name or "", info.status, data.tags, data.metrics)


def _on_server(store: Store, asked: Asked) -> Iterator[ListedRun]:
    check_server(store.uri)
    found = _pages(store, "experiments", {})
    ids = {one["name"]: one["experiment_id"] for one in found}
    _expect_experiment(store, asked, list(ids))
    question = {
        "experiment_ids": [ids[asked.experiment]] if asked.experiment else list(ids.values()),
        "filter": _filter(asked),
        "order_by": ["attributes.start_time DESC"],
    }
    yield from map(_read, _pages(store, "runs", question))


def _filter(asked: Asked) -> str:
    conditions = [f"attributes.run_id LIKE '{asked.beginning}%'"] if asked.beginning else []
    conditions += [f"tags.`{tag}` LIKE '%'"] if (tag := _sweep_tag(asked)) else []
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
    """Yield all experiments, or all runs, of a paged query."""
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
