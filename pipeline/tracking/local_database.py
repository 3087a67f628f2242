"""The SQLite file of a local store: its address, how it comes to be, and where it lies now.

MLflow keeps the absolute address of every run's artifacts in it. A folder that was copied or moved
would send new artifacts to where it came from, and MLflow's UI would look for the old ones there.
So the addresses below the store's former folder are replaced once, when it is first opened at
another place; MLflow's own tools then find the artifacts too.
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
from pipeline.tracking.temporary_folder import temporary_folder

FOLDER = "mlruns"
ARTIFACTS = "artifacts"  # folder of all runs' artifacts, beside the database
_DATABASE = "mlflow.db"
_LOCKED_SECONDS = 60.0  # so long another process may keep the database to itself
_ADDRESSES = (
    ("experiments", "artifact_location"),
    ("runs", "artifact_uri"),
    ("logged_models", "artifact_location"),
    ("model_versions", "source"),
    ("model_versions", "storage_location"),
)


def database_of(folder: Path) -> Path:
    """The SQLite file of the store in `folder`, which may not have been created yet."""
    return folder / _DATABASE


def exists(folder: Path) -> bool:
    """Whether a store has been created there; an empty file is none."""
    file = database_of(folder)
    return file.is_file() and file.stat().st_size > 0


def address(file: Path) -> str:
    """SQLAlchemy's address of a SQLite file.

    SQLAlchemy takes `?` for the beginning of a query, and from 2.1 on `%` for that of a code. A
    path with either is written as SQLite's own kind of address, which SQLAlchemy then writes as
    its version reads it; under the driver's full name, since MLflow creates a folder `file:` for
    the short one.
    """
    if not set("?#%") & set(str(file)):
        return f"sqlite:///{file}"
    from sqlalchemy.engine import URL

    place = URL.create("sqlite+pysqlite", database=f"file:{quote(str(file))}")
    return place.update_query_dict({"uri": "true"}).render_as_string()


def file_at(database: str) -> Path:
    """The SQLite file that the part of an address after its driver names."""
    return Path(unquote(urlsplit(database).path) if database.startswith("file:") else database)


@contextmanager
def connected(file: Path) -> Iterator[sqlite3.Connection]:
    """A connection to a database that is there, for the length of a block.

    Raises:
        StoreError: when it cannot be read.
    """
    # Not read-only: what a killed process left half written is rolled back by the next reader.
    place = f"file:{quote(str(file))}?mode=rw"
    try:
        with closing(sqlite3.connect(place, uri=True, timeout=_LOCKED_SECONDS)) as connection:
            yield connection
    except sqlite3.Error as error:
        raise StoreError(f"{file} cannot be read: {error}.") from error


def artifacts_here(uri: str, folder: Path) -> Path | None:
    """The folder that an address of artifacts means, for a store that may have been moved.

    Args:
        uri: as the database has it.
        folder: in which the store lies now.

    Returns:
        None when the artifacts are not on this machine.
    """
    parts = urlsplit(uri)
    if parts.scheme not in ("", "file"):
        return None
    path = unquote(parts.path)
    _, own, below = path.rpartition(f"/{FOLDER}/{ARTIFACTS}/")
    return folder / ARTIFACTS / below if own else Path(path)


def create(folder: Path) -> None:
    """Create the database, beside its final place, unless it is there.

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
    """Let the addresses in a database say that its store lies in `folder`.

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
    """Addresses of folders that experiments have their artifacts in, instead of `here`."""
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
    """Whether a store is there that this process cannot write to."""
    places = (folder, database_of(folder))
    return exists(folder) and not all(os.access(place, os.W_OK) for place in places)


def snapshot(folder: Path) -> Path:
    """A copy of a database that cannot be written to, kept until this process ends.

    MLflow writes to a database that it only reads from, and an unfinished write of a killed process
    is rolled back before anything can be read.
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
