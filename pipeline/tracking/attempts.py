"""What has been done for a job already: the runs that carry its identity.

A local store is asked in SQL, since a plan of a thousand jobs is shown before MLflow, which takes
seconds for as much, needs to be imported. A server is asked through MLflow.
"""

import re
import sqlite3
from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import closing
from dataclasses import dataclass
from typing import TYPE_CHECKING, Literal

from pipeline.tracking import names
from pipeline.tracking.artifacts import local_folder, missing
from pipeline.tracking.heartbeats import is_alive
from pipeline.tracking.store import Store

if TYPE_CHECKING:
    from mlflow.entities import Run

PASSED = ("exact", "close")  # parity of a run that is proven
State = Literal["done", "failed", "interrupted", "pruned", "running", "damaged", "new"]

_CHECKPOINT = re.compile(r"epoch-(\d+)\.npz$")
_ASKED = 500  # identities in one query: SQLite allows only so many variables
_TAGS = (names.IDENTITY, names.PARITY, names.PRUNED, names.OWNER, names.HEARTBEAT)


@dataclass(frozen=True)
class Attempt:
    """One run that was made, or begun, for a job.

    Attributes:
        run_id: MLflow's.
        status: as MLflow has it; RUNNING may be the last word of a process that was killed.
        ended: milliseconds since 1970; None while it lasts.
        tags: some of its tags.
        epoch: of its last checkpoint, 0 where there is none.
        intact: whether its artifacts are there, as far as that can be seen cheaply.
    """

    run_id: str
    status: str
    ended: int | None
    tags: Mapping[str, str]
    epoch: int = 0
    intact: bool = True


@dataclass(frozen=True)
class Standing:
    """How far a job has come.

    Attributes:
        state: `done`; `failed`; `interrupted`, which goes on from a checkpoint; `pruned` by a
            search, which could too; `running` in a process that lives; `damaged`, finished but with
            artifacts gone or altered; `new`.
        run_id: of the run that is done, or would be taken up.
        epoch: of its last checkpoint.
        ended: when it ended, in milliseconds since 1970.
        listed: whether it belongs to the sweep that was asked for.
    """

    state: State
    run_id: str | None = None
    epoch: int = 0
    ended: int = 0
    listed: bool = False


def standings(
    store: Store, experiment: str, identities: Sequence[str], sweep_id: str
) -> dict[str, Standing]:
    """How far each job has come in an experiment, by its identity.

    Args:
        store: where runs are tracked; it need not exist yet.
        experiment: the experiment's name.
        identities: of the jobs.
        sweep_id: of the sweep that the jobs are in.
    """
    find = _find_locally if store.folder else _find_on_server
    found: dict[str, list[Standing]] = {}
    tag = names.sweep_tag(sweep_id)
    for attempt in find(store, experiment, list(dict.fromkeys(identities)), tag):
        found.setdefault(attempt.tags[names.IDENTITY], []).append(_standing(attempt, tag))
    return {one: _furthest(found.get(one, [])) for one in identities}


def _furthest(stands: Sequence[Standing]) -> Standing:
    order: tuple[State, ...] = (
        *("done", "running", "interrupted", "pruned", "failed", "damaged", "new"),
    )
    return min(
        stands,
        key=lambda one: (order.index(one.state), -one.epoch, -one.ended),
        default=Standing("new"),
    )


def _standing(attempt: Attempt, tag: str) -> Standing:
    listed = tag in attempt.tags
    return Standing(_state(attempt), attempt.run_id, attempt.epoch, attempt.ended or 0, listed)


def _state(attempt: Attempt) -> State:
    if attempt.status == "FINISHED":
        return (
            "done" if attempt.intact and attempt.tags.get(names.PARITY) != "failed" else "damaged"
        )
    if attempt.status == "FAILED":
        return "failed"
    if attempt.status == "RUNNING" and is_alive(attempt.tags):
        return "running"
    return (
        "pruned" if attempt.status == "KILLED" and names.PRUNED in attempt.tags else "interrupted"
    )


def _find_locally(
    store: Store, experiment: str, identities: Sequence[str], tag: str
) -> Iterator[Attempt]:
    assert store.database is not None
    if not store.database.is_file():
        return
    # Not read-only: what a killed process left half written is rolled back by the next reader.
    with closing(sqlite3.connect(f"file:{store.database}?mode=rw", uri=True)) as connection:
        for asked in _parts(identities):
            yield from _local_attempts(connection, experiment, asked, tag)


def _parts(identities: Sequence[str]) -> Iterator[Sequence[str]]:
    for start in range(0, len(identities), _ASKED):
        yield identities[start : start + _ASKED]


def _local_attempts(
    connection: sqlite3.Connection, experiment: str, identities: Sequence[str], tag: str
) -> list[Attempt]:
    keys = (*_TAGS, tag)
    query = f"""
        SELECT runs.run_uuid, runs.status, runs.end_time, runs.artifact_uri, tags.key, tags.value
        FROM tags AS identity
        JOIN runs ON runs.run_uuid = identity.run_uuid
        JOIN experiments ON experiments.experiment_id = runs.experiment_id
        JOIN tags ON tags.run_uuid = runs.run_uuid AND tags.key IN ({_marks(keys)})
        WHERE identity.key = ? AND identity.value IN ({_marks(identities)})
          AND experiments.name = ? AND runs.lifecycle_stage = 'active'
    """
    found: dict[tuple[str, str, int | None, str], dict[str, str]] = {}
    for *run, key, value in connection.execute(
        query, (*keys, names.IDENTITY, *identities, experiment)
    ):
        found.setdefault(tuple(run), {})[key] = value
    return [_local_attempt(*run, tags) for run, tags in found.items()]


def _marks(values: Sequence[str]) -> str:
    return ",".join("?" * len(values))


def _local_attempt(
    run_id: str, status: str, ended: int | None, artifact_uri: str, tags: Mapping[str, str]
) -> Attempt:
    folder = local_folder(artifact_uri)
    if folder is None:
        return Attempt(run_id, status, ended, tags)
    if status == "FINISHED":
        return Attempt(run_id, status, ended, tags, intact=not missing(folder))
    files = [path.name for path in (folder / names.CHECKPOINTS).glob("*")]
    return Attempt(run_id, status, ended, tags, epoch_of(files))


def _find_on_server(
    store: Store, experiment: str, identities: Sequence[str], tag: str
) -> Iterator[Attempt]:
    """Ask for the sweep's own runs at once, and for every job that has none singly."""
    from pipeline.tracking.queries import search_runs

    found = store.client.get_experiment_by_name(experiment)
    if found is None:
        return
    ids, seen = [found.experiment_id], set()
    for run in search_runs(store, ids, f"tags.`{tag}` LIKE '%'"):
        if run.data.tags.get(names.IDENTITY) in identities:
            seen.add(run.data.tags[names.IDENTITY])
            yield _remote_attempt(store, run)
    for one in identities:
        if one not in seen:
            for run in search_runs(store, ids, f"tags.{names.IDENTITY} = '{one}'"):
                yield _remote_attempt(store, run)


def _remote_attempt(store: Store, run: "Run") -> Attempt:
    info, tags = run.info, run.data.tags
    epoch = 0
    if info.status != "FINISHED":
        epoch = epoch_of(
            i.path for i in store.client.list_artifacts(info.run_id, names.CHECKPOINTS)
        )
    return Attempt(info.run_id, info.status, info.end_time, tags, epoch)


def epoch_of(paths: Iterable[str]) -> int:
    """The latest epoch that one of these files keeps the state after; 0 if none does."""
    found = [_CHECKPOINT.search(path) for path in paths]
    return max((int(match[1]) for match in found if match), default=0)
