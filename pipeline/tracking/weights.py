"""A run's weights, found without MLflow, whose import alone takes longer than a prediction."""

import sqlite3
import tempfile
from collections.abc import Iterator
from contextlib import closing, contextmanager
from pathlib import Path
from urllib.parse import unquote, urlsplit

from pipeline.errors import StoreError
from pipeline.tracking import names
from pipeline.tracking.server_requests import check_server, get
from pipeline.tracking.store import Store
from scratch_forward.card import card_path
from scratch_forward.classifier import MODEL_FILE, PREPROCESSING_FILE

_FILES = (MODEL_FILE, PREPROCESSING_FILE, card_path(MODEL_FILE).name)


@contextmanager
def weights_folder(run_id: str, store: Store) -> Iterator[Path]:
    """The folder with a run's model, preprocessing and card.

    Args:
        run_id: the run.
        store: where it is tracked.

    Raises:
        StoreError: when there is no such run, or its weights are not there.
    """
    if store.database is not None:
        yield _local_folder(run_id, store.database)
        return
    check_server(store.uri)
    with tempfile.TemporaryDirectory(prefix="parity-pipeline-") as folder:
        for name in _FILES:
            (Path(folder) / name).write_bytes(
                _download(store.uri, run_id, f"{names.WEIGHTS}/{name}")
            )
        yield Path(folder)


def _local_folder(run_id: str, database: Path) -> Path:
    if not database.is_file():
        raise StoreError(f"There is no store at {database}; start where the run was trained.")
    query = "SELECT artifact_uri FROM runs WHERE run_uuid = ?"
    # Not read-only: what a killed process left half written is rolled back by the next reader.
    with closing(sqlite3.connect(f"file:{database}?mode=rw", uri=True)) as connection:
        found = connection.execute(query, (run_id,)).fetchone()
    if found is None:
        raise StoreError(f"run_id={run_id} is not a run in {database}.")
    folder = Path(unquote(urlsplit(found[0]).path)) / names.WEIGHTS
    if not folder.is_dir():
        raise StoreError(f"run_id={run_id} has no weights at {folder}.")
    return folder


def _download(uri: str, run_id: str, path: str) -> bytes:
    answer = get(uri, "/get-artifact", {"run_uuid": run_id, "path": path})
    if not answer.ok:
        raise StoreError(f"run_id={run_id}: {uri} answers {answer.status_code} for {path}.")
    return answer.content
