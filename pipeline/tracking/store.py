"""The MLflow store that runs are written to: SQLite under `mlruns/`, or a server."""

import logging
from dataclasses import dataclass
from pathlib import Path
from urllib.parse import urlsplit

import requests
from filelock import FileLock
from mlflow import MlflowClient
from mlflow.entities import Experiment
from mlflow.exceptions import MlflowException
from sqlalchemy.exc import SQLAlchemyError

from pipeline.tracking.errors import StoreError

FOLDER = "mlruns"
_PATIENCE_SECONDS = 10


@dataclass(frozen=True)
class Store:
    """Where runs are tracked.

    Attributes:
        uri: absolute MLflow tracking URI.
        folder: absolute folder of a local store; None for a server.
    """

    uri: str
    folder: Path | None = None

    @property
    def client(self) -> MlflowClient:
        """A client bound to this store, whatever MLflow's global settings say."""
        return MlflowClient(tracking_uri=self.uri)

    def experiment(self, name: str) -> Experiment:
        """The experiment of that name, created (or brought back from deletion) when needed."""
        client = self.client
        found = client.get_experiment_by_name(name)
        if found is None:
            return client.get_experiment(self._create(client, name))
        if found.lifecycle_stage == "deleted":
            client.restore_experiment(found.experiment_id)
        return found

    def _create(self, client: MlflowClient, name: str) -> str:
        # Left alone, MLflow would put a local store's artifacts below the working directory.
        location = (self.folder / "artifacts").as_uri() if self.folder else None
        try:
            return str(client.create_experiment(name, artifact_location=location))
        except MlflowException:  # another process was quicker
            found = client.get_experiment_by_name(name)
            if found is None:
                raise
            return str(found.experiment_id)


def open_local(working_directory: Path) -> Store:
    """The store under `working_directory`/mlruns, created when it is not there.

    Several processes may call this at once: MLflow's own creation of a fresh SQLite file is not
    safe against that, so it happens under a file lock.

    Raises:
        StoreError: when the folder cannot be written or the database not opened.
    """
    folder = working_directory.resolve() / FOLDER
    store = Store(f"sqlite:///{folder / 'mlflow.db'}", folder)
    # Creating the tables logs every migration; none of it concerns the person who trains.
    logging.getLogger("mlflow.store.db.utils").setLevel(logging.WARNING)
    logging.getLogger("alembic").setLevel(logging.WARNING)
    try:
        folder.mkdir(parents=True, exist_ok=True)
        with FileLock(folder / ".creating.lock"):
            store.client.search_experiments(max_results=1)
    except OSError as error:
        raise StoreError(f"{folder} cannot be written: {error.strerror}.") from error
    except (MlflowException, SQLAlchemyError) as error:
        reason = str(error).splitlines()[0]
        raise StoreError(f"{folder / 'mlflow.db'} cannot be opened: {reason}") from error
    return store


def open_server(uri: str) -> Store:
    """The store behind a running MLflow server.

    Raises:
        StoreError: when nothing answers there as an MLflow server does.
    """
    address = uri.rstrip("/")
    try:
        answer = requests.get(f"{address}/health", timeout=_PATIENCE_SECONDS)
    except requests.RequestException as error:
        raise StoreError(
            f"tracking.uri={uri}: no MLflow server answers at {urlsplit(uri).netloc} "
            f"({type(error).__name__})."
        ) from error
    if not answer.ok:
        raise StoreError(f"tracking.uri={uri}: the server answers {answer.status_code} to /health.")
    return Store(address)


def open_store(kind: str, uri: str | None = None) -> Store:
    """Open the store that `tracking=local` or `tracking=server tracking.uri=...` names."""
    return open_server(uri) if kind == "server" and uri else open_local(Path.cwd())
