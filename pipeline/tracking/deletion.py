"""Deletes a run, or a sweep with its runs, permanently: rows, artifacts and leftover claims.

Runs are marked as deleted first, so that no list and no plan shows them; only then is anything
removed. The same command completes an interrupted deletion.
"""

import re
import shutil
from collections.abc import Sequence
from dataclasses import dataclass

from mlflow.entities import Run, ViewType
from mlflow.store.artifact.artifact_repository_registry import get_artifact_repository

from pipeline.errors import StoreError
from pipeline.tracking import local_database, names
from pipeline.tracking.claims import LONGEST
from pipeline.tracking.heartbeats import is_alive
from pipeline.tracking.queries import members
from pipeline.tracking.retries import patiently
from pipeline.tracking.server_claims import drop_dead_claims
from pipeline.tracking.store import Store

_SWEEP = re.compile(r"[\w-]+")  # the form of a sweep id
_SWEEP_TAG = names.sweep_tag("")


@dataclass(frozen=True)
class Deletion:
    """What to delete."""

    sweep: str | None  # id of the sweep; None for a single run
    runs: tuple[Run, ...]  # runs to delete, including the sweep's own
    # runs that other sweeps use too; they are only removed from this sweep
    kept: tuple[Run, ...] = ()


def plan_deletion(store: Store, asked: str) -> Deletion:
    """Find the run or sweep that an id names; changes nothing.

    Raises:
        StoreError: when there is neither, the store is read-only, or a run is being trained.
    """
    if store.read_only:
        raise StoreError(f"{store.folder} cannot be written to: nothing can be deleted.")
    deletion = _plan_sweep(store, asked) or _plan_run(store, asked)
    if deletion is None:
        raise StoreError(
            f"delete={asked} is neither the whole id of a run nor that of a sweep in {store.uri}."
        )
    running = [run for run in deletion.runs if run.info.status == "RUNNING"]
    if alive := [run.info.run_name for run in running if is_alive(run.data.tags)]:
        raise StoreError(f"delete={asked}: still running: {', '.join(alive)}. End it first.")
    return deletion


def _plan_sweep(store: Store, asked: str) -> Deletion | None:
    own = f"tags.{names.KIND} = '{names.SWEEP}' AND tags.`{names.SWEEP_ID}` = '{asked}'"
    if not _SWEEP.fullmatch(asked) or names.sweep_tag(asked) == names.SWEEP_ID:
        return None
    found = [*_everywhere(store, members(asked)), *_everywhere(store, own)]
    shared = [run for run in found if _sweeps_of(run) - {asked}]
    alone = [run for run in found if run not in shared]
    return Deletion(asked, tuple(alone), tuple(shared)) if found else None


def _plan_run(store: Store, asked: str) -> Deletion | None:
    found = [run for run in _everywhere(store, "") if run.info.run_id == asked]
    return Deletion(None, tuple(found)) if found else None


def _everywhere(store: Store, query: str) -> list[Run]:
    """Return the runs of all experiments, including those marked as deleted."""
    return list(store.search_runs(None, query, ViewType.ALL))


def _sweeps_of(run: Run) -> set[str]:
    tags = [tag for tag in run.data.tags if tag.startswith(_SWEEP_TAG) and tag != names.SWEEP_ID]
    return {tag.removeprefix(_SWEEP_TAG) for tag in tags}


def delete(store: Store, deletion: Deletion) -> None:
    """Carry out a deletion.

    On a server, the rows stay marked as deleted until `mlflow gc` is run there.
    """
    for run in deletion.kept:
        store.client.delete_tag(run.info.run_id, names.sweep_tag(deletion.sweep or ""))
    for run in deletion.runs:
        if run.info.lifecycle_stage == "active":
            store.client.delete_run(run.info.run_id)
    if store.folder is None:
        _delete_remote(store, deletion.runs)
    else:
        _delete_local(store, deletion.runs)


def _delete_local(store: Store, runs: Sequence[Run]) -> None:
    """Remove artifacts and rows. `mlflow gc` would also remove every deleted experiment."""
    from mlflow.store.tracking.sqlalchemy_store import SqlAlchemyStore

    assert store.folder is not None
    artifacts = store.folder / local_database.ARTIFACTS
    models = artifacts / SqlAlchemyStore.MODELS_FOLDER_NAME
    database = patiently(SqlAlchemyStore, store.uri, artifacts.as_uri())
    for run in runs:
        for model_id in _logged_models(store, run):
            shutil.rmtree(models / model_id, ignore_errors=True)
            patiently(database._hard_delete_logged_model, model_id)
        if (folder := artifacts / run.info.run_id).exists():
            shutil.rmtree(folder)
        patiently(database._hard_delete_run, run.info.run_id)


def _logged_models(store: Store, run: Run) -> list[str]:
    """Return the ids of a run's logged models, including those of interrupted attempts."""
    of_run = f"source_run_id = '{run.info.run_id}'"
    found = store.client.search_logged_models([run.info.experiment_id], of_run)
    return [model.model_id for model in found]


def _delete_remote(store: Store, runs: Sequence[Run]) -> None:
    for run in runs:
        for model_id in _logged_models(store, run):
            store.client.delete_logged_model(model_id)
        get_artifact_repository(run.info.artifact_uri, tracking_uri=store.uri).delete_artifacts()
        if identity := run.data.tags.get(names.IDENTITY):
            drop_dead_claims(store, identity[:LONGEST])
