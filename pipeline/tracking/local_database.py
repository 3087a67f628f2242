"""The SQLite file of a local store: its address, its creation, and moving it.

MLflow stores the absolute address of every run's artifacts in it. After the folder is copied or
moved, new artifacts would go to the old location, where MLflow's UI would also look for the
existing ones. Addresses below the store's former folder are therefore replaced once, when the store
is first opened at another place; MLflow's own tools then find the artifacts too.
"""

import atexit
import os
import shutil
import sqlite3
from collections.abc import Iterator
from contextlib import ExitStack, closing, contextmanager
from pathlib import Path
from urllib.parse import quote, unquote, urlsplit

from pipeline.errors import StoreError
from pipeline.tracking.artifacts import local_folder
from pipeline.tracking.temporary_folder import temporary_folder

FOLDER = "mlruns"
ARTIFACTS = "artifacts"  # folder of all runs' artifacts, beside the database
_DATABASE = "mlflow.db"
_LOCKED_SECONDS = 60.0  # maximum time to wait for another process's lock
_ADDRESSES = (
    ("experiments", "artifact_location"),
    ("runs", "artifact_uri"),
    ("logged_models", "artifact_location"),
    ("model_versions", "source"),
    ("model_versions", "storage_location"),
)


def database_of(folder: Path) -> Path:
    """Return the SQLite file of the store in `folder`, which may not exist yet."""
    return folder / _DATABASE


def exists(folder: Path) -> bool:
    """Return whether a store has been created there; an empty file is not a store."""
    file = database_of(folder)
    return file.is_file() and file.stat().st_size > 0


def address(file: Path) -> str:
    """Return SQLAlchemy's address of a SQLite file.

    SQLAlchemy reads `?` as the start of a query and, from 2.1 on, `%` as an escape. A path with
    either is written as a SQLite URI, which SQLAlchemy then quotes as its version reads it. The URI
    has the full driver name, because MLflow creates a folder `file:` for the short one.
    """
    if not set("?#%") & set(str(file)):
        return f"sqlite:///{file}"
    from sqlalchemy.engine import URL

    place = URL.create("sqlite+pysqlite", database=f"file:{quote(str(file))}")
    return place.update_query_dict({"uri": "true"}).render_as_string()


def file_at(database: str) -> Path:
    """Return the SQLite file that the database part of an address names."""
    return Path(unquote(urlsplit(database).path) if database.startswith("file:") else database)


@contextmanager
def connected(file: Path) -> Iterator[sqlite3.Connection]:
    """Connect to an existing database for the duration of a block.

    Raises:
        StoreError: when it cannot be read.
    """
    # Not read-only: the next reader must roll back what a killed process left half-written.
    place = f"file:{quote(str(file))}?mode=rw"
    try:
        with closing(sqlite3.connect(place, uri=True, timeout=_LOCKED_SECONDS)) as connection:
            yield connection
    except sqlite3.Error as error:
        raise StoreError(f"{file} cannot be read: {error}.") from error


def artifacts_here(uri: str, folder: Path) -> Path | None:
    """Return the folder of an artifact address; None if it is not on this machine.

    The store in `folder` may have been moved since the database stored the address.
    """
    place = local_folder(uri)
    if place is None:
        return None
    _, own, below = str(place).rpartition(f"/{FOLDER}/{ARTIFACTS}/")
    return folder / ARTIFACTS / below if own else place


def create(folder: Path) -> None:
    """Create the database in a temporary file and move it into place, unless it exists.

    MLflow's own creation is safe neither against a second process nor against being killed.
    """
    from mlflow import MlflowClient

    if exists(folder):
        return
    database, unfinished = database_of(folder), folder / f"{_DATABASE}.unfinished"
    for left in (unfinished, unfinished.with_name(f"{unfinished.name}-journal")):
        left.unlink(missing_ok=True)
    MlflowClient(tracking_uri=address(unfinished)).search_experiments(max_results=1)
    unfinished.replace(database)


def settle(file: Path, folder: Path) -> None:
    """Make the addresses in a database refer to a store in `folder`.

    Raises:
        StoreError: when it cannot be read or written.
    """
    here = folder.as_uri()
    with connected(file) as connection, connection:
        for left in _former_folders(connection, here):
            for table, column in _ADDRESSES:
                if _has(connection, table, column):
                    connection.execute(
                        f"UPDATE {table} SET {column} = ? || substr({column}, ?)"
                        f" WHERE substr({column}, 1, ?) = ?",
                        (here, len(left) + 1, len(left) + 1, f"{left}/"),
                    )


def _former_folders(connection: sqlite3.Connection, here: str) -> list[str]:
    """Return the addresses of folders other than `here` that hold experiments' artifacts."""
    ending = f"/{FOLDER}/{ARTIFACTS}"
    if not _has(connection, "experiments", "artifact_location"):
        return []
    rows = connection.execute("SELECT DISTINCT artifact_location FROM experiments")
    folders = [
        place.removesuffix(f"/{ARTIFACTS}")
        for (place,) in rows
        if place and place.startswith("file:") and place.endswith(ending)
    ]
    return [one for one in folders if one != here]


def _has(connection: sqlite3.Connection, table: str, column: str) -> bool:
    found = connection.execute("SELECT 1 FROM pragma_table_info(?) WHERE name = ?", (table, column))
    return found.fetchone() is not None


def is_read_only(folder: Path) -> bool:
    """Return whether a store exists that this process cannot write to."""
    places = (folder, database_of(folder))
    return exists(folder) and not all(os.access(place, os.W_OK) for place in places)


def snapshot(folder: Path) -> Path:
    """Copy a database that is not writable; the copy is kept until this process ends.

    MLflow writes to a database even when reading, and the incomplete write of a killed process must
    be rolled back before anything can be read.
    """
    kept = ExitStack()
    copy = kept.enter_context(temporary_folder())
    atexit.register(kept.close)
    for suffix in ("", "-journal"):
        file = database_of(folder).with_name(_DATABASE + suffix)
        if file.is_file():
            shutil.copyfile(file, copy / file.name)
    settle(database_of(copy), folder)
    return database_of(copy)
