"""Reads runs of a local store from MLflow's SQLite file in SQL.

MLflow takes 2 seconds to import, and more to find the runs of a thousand jobs; a plan or a
prediction need not wait for that. The tables are internal to MLflow, so each query first checks
their revision. For an unknown one, the caller uses MLflow's client.
"""

import sqlite3
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from pipeline.tracking import names
from pipeline.tracking.local_database import artifacts_here, connected, database_of

REVISIONS = frozenset(
    [
        "1b5f0d9ad7c1",
        "e1f2a3b4c5d6",
        "76601a5f987d",
        "c3d6457b6d8a",
        "a5b4c3d2e1f0",
        "ae8bbe7743c9",
        "7d34483879f0",
        "da6fb0208061",
        "89d3d66ed43f",
        "b7e4c1a90f23",
        "a8b9c0d1e2f3",
        "c1d2e3f4a5b6",
        "c3d9e7f1a2b4",
        "6f8d9c3b2a1e",
        "1971f2d9a75b",
        "17e22815139b",
        "b7e2c1a4d9f3",
        "75868b020152",
        "dc11669786a5",
        "e7d1f4b2a9c6",
        "8b6ad64cb8f5",
        "f4a9b2c7d1e6",
    ]
)
"""Alembic revisions of MLflow 3.10 to 3.18, which have the same tables as far as read here."""
_ASKED = 500  # identities per query: SQLite limits the number of variables


class UnknownSchemaError(Exception):
    """The database belongs to a version of MLflow that this module does not know."""


@dataclass(frozen=True)
class RunRow:
    """One run."""

    run_id: str
    status: str  # RUNNING, FINISHED, FAILED or KILLED
    ended: int | None  # milliseconds since 1970; None while it is running
    artifacts: Path | None  # folder of its artifacts; None if it is not on this machine
    tags: Mapping[str, str]  # the requested tags


def runs_of_jobs(
    folder: Path, experiment: str, identities: Sequence[str], tags: Sequence[str]
) -> list[RunRow]:
    """Return the runs of jobs in an experiment, except deleted ones.

    Raises:
        UnknownSchemaError: when the tables may differ from those known here.
        StoreError: when the database cannot be read.
    """
    with _known(folder) as connection:
        parts = (identities[start : start + _ASKED] for start in range(0, len(identities), _ASKED))
        return [row for part in parts for row in _runs(connection, folder, experiment, part, tags)]


def artifacts_of(folder: Path, run_id: str) -> Path | None:
    """Return the folder of a run's artifacts; None if there is no such run on this machine.

    Raises:
        UnknownSchemaError: when the tables may differ from those known here.
        StoreError: when the database cannot be read.
    """
    with _known(folder) as connection:
        query = "SELECT artifact_uri FROM runs WHERE run_uuid = ? AND lifecycle_stage = 'active'"
        found = connection.execute(query, (run_id,)).fetchone()
        return artifacts_here(found[0], folder) if found else None


def experiments(folder: Path) -> list[str]:
    """Return the names of the experiments, except deleted ones.

    Raises:
        UnknownSchemaError: when the tables may differ from those known here.
        StoreError: when the database cannot be read.
    """
    with _known(folder) as connection:
        query = "SELECT name FROM experiments WHERE lifecycle_stage = 'active'"
        return [name for (name,) in connection.execute(query)]


def runs_newest_first(
    folder: Path, beginning: str, experiment: str | None, tag: str | None
) -> Iterator[tuple[str, str, str, dict[str, str], dict[str, float]]]:
    """Return id, name, status, tags and last metrics of each run that is not deleted.

    Args:
        beginning: prefix of the runs' ids.
        experiment: name of their experiment; None for any.
        tag: name of a tag that they have; None for any.

    Raises:
        UnknownSchemaError: when the tables may differ from those known here.
        StoreError: when the database cannot be read.
    """
    asked = {"beginning": beginning, "experiment": experiment, "tag": tag}
    with _known(folder) as connection:
        for run_id, name, status in connection.execute(_NEWEST_FIRST, asked):
            tags = dict(connection.execute(_TAGS, (run_id,)))
            metrics = dict(connection.execute(_METRICS, (run_id,)))
            yield run_id, name or "", status, tags, metrics


_NEWEST_FIRST = """
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


@contextmanager
def _known(folder: Path) -> Iterator[sqlite3.Connection]:
    with connected(database_of(folder)) as connection:
        tables = "SELECT 1 FROM sqlite_master WHERE name = 'alembic_version'"
        found = ()
        if connection.execute(tables).fetchone():
            found = connection.execute("SELECT version_num FROM alembic_version").fetchone() or ()
        if not REVISIONS.intersection(found):
            raise UnknownSchemaError(*found)
        yield connection


def _runs(
    connection: sqlite3.Connection,
    folder: Path,
    experiment: str,
    identities: Sequence[str],
    tags: Sequence[str],
) -> list[RunRow]:
    query = f"""
        SELECT runs.run_uuid, runs.status, runs.end_time, runs.artifact_uri, tags.key, tags.value
        FROM tags AS identity
        JOIN runs ON runs.run_uuid = identity.run_uuid
        JOIN experiments ON experiments.experiment_id = runs.experiment_id
        JOIN tags ON tags.run_uuid = runs.run_uuid AND tags.key IN ({_marks(tags)})
        WHERE identity.key = ? AND identity.value IN ({_marks(identities)})
          AND experiments.name = ? AND runs.lifecycle_stage = 'active'
    """
    values = (*tags, names.IDENTITY, *identities, experiment)
    found: dict[tuple[str, str, int | None, str], dict[str, str]] = {}
    for *run, key, value in connection.execute(query, values):
        found.setdefault(tuple(run), {})[key] = value
    return [
        RunRow(run_id, status, ended, artifacts_here(uri, folder), tags)
        for (run_id, status, ended, uri), tags in found.items()
    ]


def _marks(values: Sequence[str]) -> str:
    return ",".join("?" * len(values))
