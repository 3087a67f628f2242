"""Finds a run's weights without MLflow, whose import takes longer than a prediction."""

from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

from pipeline.errors import StoreError
from pipeline.tracking import local_database, names
from pipeline.tracking.artifacts import damage
from pipeline.tracking.server_requests import check_server, get
from pipeline.tracking.sqlite_reader import UnknownSchemaError, artifacts_of
from pipeline.tracking.store import Store, check_store, open_local
from pipeline.tracking.temporary_folder import temporary_folder
from scratch_forward.card import card_path
from scratch_forward.classifier import MODEL_FILE, PREPROCESSING_FILE

_FILES = (MODEL_FILE, PREPROCESSING_FILE, card_path(MODEL_FILE).name)


@contextmanager
def weights_folder(run_id: str, store: Store) -> Iterator[Path]:
    """Yield the folder with a run's model, preprocessing and card.

    Raises:
        StoreError: when the run does not exist, or its weights are missing or differ from its
            manifest.
    """
    if store.folder is not None:
        folder = _local_folder(run_id, store.folder)
        _check_manifest(run_id, folder.parent)
        yield folder
        return
    check_server(store.uri)
    with temporary_folder() as artifacts:
        folder = artifacts / names.WEIGHTS
        folder.mkdir()
        for name in _FILES:
            (folder / name).write_bytes(_download(store.uri, run_id, f"{names.WEIGHTS}/{name}"))
        with suppress(StoreError):  # a run that has not ended has none yet
            manifest = _download(store.uri, run_id, names.MANIFEST)
            (artifacts / names.MANIFEST).write_bytes(manifest)
        _check_manifest(run_id, artifacts)
        yield folder


def _check_manifest(run_id: str, artifacts: Path) -> None:
    if not (artifacts / names.MANIFEST).is_file():
        return
    if faults := damage(artifacts, [f"{names.WEIGHTS}/{name}" for name in _FILES]):
        raise StoreError(f"run_id={run_id}: {' '.join(faults)}")


def _local_folder(run_id: str, store: Path) -> Path:
    check_store(store)
    artifacts = _artifacts(run_id, store)
    if artifacts is None:
        raise StoreError(f"run_id={run_id} is not a run in {local_database.database_of(store)}.")
    folder = artifacts / names.WEIGHTS
    if not folder.is_dir():
        raise StoreError(f"run_id={run_id} has no weights at {folder}.")
    return folder


def _artifacts(run_id: str, store: Path) -> Path | None:
    try:
        return artifacts_of(store, run_id)
    except UnknownSchemaError:
        from mlflow.exceptions import MlflowException

        try:
            found = open_local(store.parent).client.get_run(run_id)
        except MlflowException:
            return None
        return local_database.artifacts_here(found.info.artifact_uri, store)


def _download(uri: str, run_id: str, path: str) -> bytes:
    answer = get(uri, "/get-artifact", {"run_uuid": run_id, "path": path})
    if not answer.ok:
        raise StoreError(f"run_id={run_id}: {uri} answers {answer.status_code} for {path}.")
    return answer.content
