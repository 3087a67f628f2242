"""The MLflow store that runs are written to: SQLite under `mlruns/`, or a server.

MLflow takes a second or two to import, so it is imported where a store is really used: a plan can
be shown, and a command refused, without it.
"""

import logging
from collections.abc import Callable, Iterable
from dataclasses import dataclass, field
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING, cast

from pipeline.errors import StoreError
from pipeline.tracking import local_database
from pipeline.tracking.local_database import FOLDER

if TYPE_CHECKING:
    from mlflow import MlflowClient
    from mlflow.entities import Experiment


@dataclass(frozen=True)
class Store:
    """Where runs are tracked.

    Attributes:
        uri: absolute MLflow tracking URI.
        folder: absolute folder of a local store; None for a server.
        read_only: whether nothing can be stored: `uri` is that of a temporary copy.
        guard: called before each call of the client; raises to refuse it.
    """

    uri: str
    folder: Path | None = None
    read_only: bool = False
    guard: Callable[[], None] = field(default=lambda: None, compare=False)

    @cached_property
    def client(self) -> "MlflowClient":
        """A patient client bound to this store, whatever MLflow's global settings say."""
        from pipeline.tracking.patient_client import PatientClient

        return cast("MlflowClient", PatientClient(self.uri, self.guard))

    @property
    def database(self) -> Path | None:
        """The SQLite file of a local store, which may not have been created yet."""
        return local_database.database_of(self.folder) if self.folder else None

    def experiment(self, name: str) -> "Experiment":
        """The experiment of that name, created when needed.

        One that was deleted comes back without its runs: they stay deleted.
        """
        found = self.client.get_experiment_by_name(name)
        if found is None:
            return self.client.get_experiment(self._create(name))
        if found.lifecycle_stage == "deleted":
            self._restore_without_runs(found.experiment_id)
        return found

    def _restore_without_runs(self, experiment_id: str) -> None:
        """MLflow keeps the name of a deleted experiment, and restores its runs together with it."""
        from mlflow.entities import ViewType

        from pipeline.tracking.queries import search_runs

        deleted = list(search_runs(self, [experiment_id], "", ViewType.DELETED_ONLY))
        self.client.restore_experiment(experiment_id)
        for run in deleted:
            self.client.delete_run(run.info.run_id)

    def _create(self, name: str) -> str:
        from mlflow.exceptions import MlflowException

        # Left alone, MLflow would put a local store's artifacts below the working directory.
        location = (self.folder / local_database.ARTIFACTS).as_uri() if self.folder else None
        try:
            return str(self.client.create_experiment(name, artifact_location=location))
        except MlflowException:  # another process was quicker
            found = self.client.get_experiment_by_name(name)
            if found is None:
                raise
            return str(found.experiment_id)


def unknown_experiment(store: Store, name: str, known: Iterable[str]) -> StoreError:
    """The sentence for an experiment that a store does not have."""
    return StoreError(f"experiment={name} is not in {store.uri}; it holds {', '.join(known)}.")


def locate_store(kind: str, uri: str | None = None) -> Store:
    """The store that `tracking=local` or `tracking=server tracking.uri=...` names, not opened."""
    if kind == "server" and uri:
        return Store(uri.rstrip("/"))
    folder = Path.cwd().resolve() / FOLDER
    return Store(local_database.address(local_database.database_of(folder)), folder)


def look_up_store(kind: str, uri: str | None = None) -> Store:
    """The same store, to read from: a local one is not created, a server has answered.

    Raises:
        StoreError: when nothing answers there as an MLflow server does.
    """
    store = locate_store(kind, uri)
    return open_server(store.uri) if store.folder is None else store


def join_store(kind: str, uri: str | None = None) -> Store:
    """The same store for a job of a sweep that has opened it: patience is due to its server.

    Raises:
        StoreError: when a local store cannot be used.
    """
    store = locate_store(kind, uri)
    return store if store.folder is None else open_local(store.folder.parent)


def open_store(kind: str, uri: str | None = None) -> Store:
    """Open the store that `tracking=local` or `tracking=server tracking.uri=...` names.

    Raises:
        StoreError: when it cannot be used.
    """
    store = locate_store(kind, uri)
    return open_server(store.uri) if store.folder is None else open_local(store.folder.parent)


def existing_store(kind: str, uri: str | None = None) -> Store:
    """The same store, for a command that has something to do only where runs are.

    Raises:
        StoreError: when there is none, or it cannot be used.
    """
    store = locate_store(kind, uri)
    if store.folder is not None:
        check_store(store.folder)
    return open_store(kind, uri)


def check_store(folder: Path) -> None:
    """Refuse a folder in which no local store has been created.

    Raises:
        StoreError: when there is none.
    """
    if not local_database.exists(folder):
        raise StoreError(f"There is no store at {folder}; start where the runs were trained.")


def open_local(working_directory: Path) -> Store:
    """The store under `working_directory`/mlruns, created when it is not there.

    Several processes may call this at once, and any may be killed.

    Raises:
        StoreError: when the folder cannot be written or the database not opened.
    """
    from mlflow.exceptions import MlflowException
    from sqlalchemy.exc import SQLAlchemyError

    folder = working_directory.resolve() / FOLDER
    # Creating the tables logs every migration; none of it concerns the person who trains. Each
    # failed transaction is logged with its traceback beside the error that is raised.
    logging.getLogger("mlflow.store.db.utils").setLevel(logging.CRITICAL)
    logging.getLogger("alembic").setLevel(logging.WARNING)
    try:
        store = _open(folder)
        store.client.search_experiments(max_results=1)
    except OSError as error:
        raise StoreError(f"{folder} cannot be written: {error.strerror}.") from error
    except (MlflowException, SQLAlchemyError) as error:
        reason = str(error).splitlines()[0]
        file = local_database.database_of(folder)
        raise StoreError(f"{file} cannot be opened: {reason}") from error
    return store


def _open(folder: Path) -> Store:
    from filelock import FileLock

    if local_database.is_read_only(folder):
        copy = local_database.snapshot(folder)
        return Store(local_database.address(copy), folder, read_only=True)
    file = local_database.database_of(folder)
    folder.mkdir(parents=True, exist_ok=True)
    with FileLock(folder / ".creating.lock"):
        local_database.create(folder)
        local_database.settle(file, folder)
    return Store(local_database.address(file), folder)


def open_server(uri: str) -> Store:
    """The store behind a running MLflow server.

    Raises:
        StoreError: when nothing answers there as an MLflow server does.
    """
    from pipeline.tracking.server_requests import check_server

    address = uri.rstrip("/")
    check_server(address)
    return Store(address)
