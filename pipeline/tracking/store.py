"""The MLflow store of all runs: SQLite under `mlruns/`, or a server.

MLflow takes 1 to 2 seconds to import, so it is imported only where a store is used: plans are shown
and commands refused without it.
"""

import logging
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING, cast

from pipeline.errors import StoreError, first_line
from pipeline.tracking import local_database
from pipeline.tracking.local_database import FOLDER

_PAGE = 1000  # runs in one answer of MLflow's

if TYPE_CHECKING:
    from mlflow import MlflowClient
    from mlflow.entities import Experiment, Run


@dataclass(frozen=True)
class Store:
    """A tracking store."""

    uri: str  # absolute MLflow tracking URI
    folder: Path | None = None  # absolute folder of a local store; None for a server
    # whether the store is not writable; `uri` is then that of a temporary copy
    read_only: bool = False
    # called before each call of the client; raises to refuse it
    guard: Callable[[], None] = field(default=lambda: None, compare=False)

    @cached_property
    def client(self) -> "MlflowClient":
        """A retrying client bound to this store, independent of MLflow's global settings."""
        from pipeline.tracking.patient_client import PatientClient

        return cast("MlflowClient", PatientClient(self.uri, self.guard))

    @property
    def database(self) -> Path | None:
        """The SQLite file of a local store, which may not exist yet."""
        return local_database.database_of(self.folder) if self.folder else None

    def experiment(self, name: str) -> "Experiment":
        """Return the experiment of that name, creating it if needed.

        A deleted experiment is restored without its runs, which stay deleted.
        """
        found = self.client.get_experiment_by_name(name)
        if found is None:
            return self.client.get_experiment(self._create(name))
        if found.lifecycle_stage == "deleted":
            self._restore_without_runs(found.experiment_id)
        return found

    def search_runs(
        self, experiment_ids: Sequence[str] | None, query: str, view: int | None = None
    ) -> "Iterator[Run]":
        """Yield every run that matches an MLflow filter, newest first, across all result pages.

        Args:
            experiment_ids: the experiments to search in; None for all of the same view.
            view: MLflow's `ViewType`; None for what is not deleted.

        Raises:
            MlflowException: when the filter is invalid.
        """
        from mlflow.entities import ViewType

        view = ViewType.ACTIVE_ONLY if view is None else view
        if experiment_ids is None:
            experiments = self.client.search_experiments(view_type=view)
            experiment_ids = [one.experiment_id for one in experiments]
        token = None
        while True:
            page = self.client.search_runs(
                list(experiment_ids), query, view, max_results=_PAGE, page_token=token
            )
            yield from page
            token = page.token
            if not token:
                return

    def _restore_without_runs(self, experiment_id: str) -> None:
        """Restore a deleted experiment. MLflow reserves its name, and restores its runs with it."""
        from mlflow.entities import ViewType

        deleted = list(self.search_runs([experiment_id], "", ViewType.DELETED_ONLY))
        self.client.restore_experiment(experiment_id)
        for run in deleted:
            self.client.delete_run(run.info.run_id)

    def _create(self, name: str) -> str:
        from mlflow.exceptions import MlflowException

        # By default, MLflow would put a local store's artifacts below the working directory.
        location = (self.folder / local_database.ARTIFACTS).as_uri() if self.folder else None
        try:
            return str(self.client.create_experiment(name, artifact_location=location))
        except MlflowException:  # another process was faster
            found = self.client.get_experiment_by_name(name)
            if found is None:
                raise
            return str(found.experiment_id)


def unknown_experiment(store: Store, name: str, known: Iterable[str]) -> StoreError:
    """Return the error for an experiment that a store does not contain."""
    return StoreError(f"experiment={name} is not in {store.uri}; it holds {', '.join(known)}.")


def locate_store(kind: str, uri: str | None = None) -> Store:
    """Return the store of `tracking=local` or `tracking=server tracking.uri=...`, not opened."""
    if kind == "server" and uri:
        return Store(uri.rstrip("/"))
    folder = Path.cwd().resolve() / FOLDER
    return Store(local_database.address(local_database.database_of(folder)), folder)


def look_up_store(kind: str, uri: str | None = None) -> Store:
    """Return the store for reading: a local one is not created, a server must answer.

    Raises:
        StoreError: when no MLflow server answers.
    """
    store = locate_store(kind, uri)
    return open_server(store.uri) if store.folder is None else store


def join_store(kind: str, uri: str | None = None) -> Store:
    """Return the store for a job of a sweep that has opened it, so its server may be retried.

    Raises:
        StoreError: when a local store cannot be used.
    """
    store = locate_store(kind, uri)
    return store if store.folder is None else open_local(store.folder.parent)


def existing_store(kind: str, uri: str | None = None) -> Store:
    """Open the store for a command that needs existing runs.

    Raises:
        StoreError: when there is none, or it cannot be used.
    """
    store = look_up_store(kind, uri)
    if store.folder is None:
        return store
    check_store(store.folder)
    return open_local(store.folder.parent)


def check_store(folder: Path) -> None:
    """Refuse a folder without a local store.

    Raises:
        StoreError: when there is none.
    """
    if not local_database.exists(folder):
        raise StoreError(f"There is no store at {folder}; start where the runs were trained.")


def open_local(working_directory: Path) -> Store:
    """Open the store under `working_directory`/mlruns, creating it if needed.

    Several processes may call this at once, and any of them may be killed.

    Raises:
        StoreError: when the folder is not writable or the database cannot be opened.
    """
    from mlflow.exceptions import MlflowException
    from sqlalchemy.exc import SQLAlchemyError

    folder = working_directory.resolve() / FOLDER
    # MLflow logs every migration when it creates the tables, and the traceback of each failed
    # transaction in addition to the raised error. Neither concerns the user.
    logging.getLogger("mlflow.store.db.utils").setLevel(logging.CRITICAL)
    logging.getLogger("alembic").setLevel(logging.WARNING)
    try:
        store = _open(folder)
        store.client.search_experiments(max_results=1)
    except OSError as error:
        raise StoreError(f"{folder} cannot be written: {error.strerror}.") from error
    except (MlflowException, SQLAlchemyError) as error:
        file = local_database.database_of(folder)
        raise StoreError(f"{file} cannot be opened: {first_line(error)}") from error
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
    """Open the store of a running MLflow server.

    Raises:
        StoreError: when no MLflow server answers.
    """
    from pipeline.tracking.server_requests import check_server

    address = uri.rstrip("/")
    check_server(address)
    return Store(address)
