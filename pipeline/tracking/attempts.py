"""What earlier runs have done for a job: the runs with its identity.

A local store is queried in SQL: a plan of a thousand jobs is shown before MLflow is imported, which
takes seconds. A server is asked whether the jobs that a sweep has finished still are; the others
are searched for through MLflow.
"""

import re
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Literal

from pipeline.tracking import local_database, names
from pipeline.tracking.artifacts import missing
from pipeline.tracking.finished_jobs import still_finished
from pipeline.tracking.heartbeats import is_alive
from pipeline.tracking.sqlite_reader import RunRow, UnknownSchemaError, runs_of_jobs
from pipeline.tracking.store import Store, open_local

if TYPE_CHECKING:
    from mlflow.entities import Run

PASSED = ("exact", "close")  # parity tags of a verified run
UNCHECKED = ("unsupported", "off")  # of a run that its settings exempt: neither passed nor failed
State = Literal["done", "failed", "interrupted", "pruned", "running", "damaged", "new"]

_CHECKPOINT = re.compile(r"epoch-(\d+)\.npz$")
_FEW = 20  # jobs of a server that are always searched for one by one, 30 ms each
_SLOWER = 4  # times as long as reading a run among many others
_TAGS = (names.IDENTITY, names.PARITY, names.PRUNED, names.OWNER, names.HEARTBEAT)


@dataclass(frozen=True)
class Attempt:
    """One run of a job, complete or not."""

    run_id: str
    status: str  # MLflow's status; RUNNING may be left over from a killed process
    ended: int | None  # milliseconds since 1970; None while it is running
    tags: Mapping[str, str]  # some of its tags
    epoch: int = 0  # epoch of its last checkpoint, 0 if there is none
    intact: bool = True  # whether its artifacts exist, as far as a cheap check can tell


@dataclass(frozen=True)
class Standing:
    """How far a job has come.

    Attributes:
        state: `done`; `failed`; `interrupted`, which resumes from a checkpoint; `pruned` by a
            search, which can resume as well; `running` in a live process; `damaged`, finished but
            with artifacts missing or altered; `new`.
        run_id: id of the run that is done or can be resumed.
        epoch: epoch of its last checkpoint.
        ended: when it ended, in milliseconds since 1970.
        listed: whether it belongs to the given sweep.
    """

    state: State
    run_id: str | None = None
    epoch: int = 0
    ended: int = 0
    listed: bool = False


def standings(
    store: Store, experiment: str, identities: Sequence[str], sweep_id: str
) -> dict[str, Standing]:
    """Return how far each job has come in an experiment, by its identity.

    Args:
        store: the store of the runs, which need not exist yet.
    """
    found: dict[str, list[Standing]] = {}
    tag = names.sweep_tag(sweep_id)
    for attempt in _find(store, experiment, list(dict.fromkeys(identities)), sweep_id):
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


def _find(
    store: Store, experiment: str, identities: Sequence[str], sweep_id: str
) -> Iterable[Attempt]:
    if store.folder is None:
        return _find_on_server(store, experiment, identities, sweep_id)
    tag = names.sweep_tag(sweep_id)
    if not local_database.exists(store.folder):
        return []
    try:
        rows = runs_of_jobs(store.folder, experiment, identities, (*_TAGS, tag))
    except UnknownSchemaError:
        opened = open_local(store.folder.parent)
        return _find_through_mlflow(opened, experiment, identities, tag)
    return [_local_attempt(row) for row in rows]


def _local_attempt(row: RunRow) -> Attempt:
    done = row.status == "FINISHED"
    intact, epoch = True, 0
    if row.artifacts is not None:
        intact = not done or not missing(row.artifacts)
        files = [] if done else (row.artifacts / names.CHECKPOINTS).glob("*")
        epoch = epoch_of(path.name for path in files)
    return Attempt(row.run_id, row.status, row.ended, row.tags, epoch, intact)


def _find_on_server(
    store: Store, experiment: str, identities: Sequence[str], sweep_id: str
) -> Iterator[Attempt]:
    tag, done = names.sweep_tag(sweep_id), {}
    if len(identities) > _FEW:
        done = still_finished(store.uri, experiment, sweep_id, identities)
    for one, run_id in done.items():
        yield Attempt(run_id, "FINISHED", None, {names.IDENTITY: one, tag: ""})
    if left := [one for one in identities if one not in done]:
        at_once = len(left) > max(_FEW, len(identities) / _SLOWER)
        yield from _find_through_mlflow(store, experiment, left, tag if at_once else None)


def _find_through_mlflow(
    store: Store, experiment: str, identities: Sequence[str], tag: str | None
) -> Iterator[Attempt]:
    """Query a sweep's finished runs at once, given its tag, then each job that has none.

    A job whose run in the sweep has failed may have a finished run outside of it.
    """
    found = store.client.get_experiment_by_name(experiment)
    if found is None:
        return
    ids, seen = [found.experiment_id], set[str]()
    if tag is not None:
        some = max(len(identities) // _SLOWER, 1)
        known = f"tags.`{names.IDENTITY}` LIKE '%'"
        newest = store.client.search_runs(ids, known, max_results=some)
        yield from _attempts(store, newest, identities)
        if not newest.token:
            return  # a new experiment, or a small one: these were all of its runs
        finished = f"tags.`{tag}` LIKE '%' AND attributes.status = 'FINISHED'"
        for attempt in _attempts(store, store.search_runs(ids, finished), identities):
            seen.add(attempt.tags[names.IDENTITY])
            yield attempt
    for one in identities:
        if one not in seen:
            same = f"tags.`{names.IDENTITY}` = '{one}'"
            yield from _attempts(store, store.search_runs(ids, same), [one])


def _attempts(store: Store, runs: "Iterable[Run]", identities: Sequence[str]) -> Iterator[Attempt]:
    """Yield those of some runs that are attempts at the given jobs."""
    wanted = set(identities)
    for run in runs:
        if run.data.tags.get(names.IDENTITY) in wanted:
            yield _attempt(store, run)


def _attempt(store: Store, run: "Run") -> Attempt:
    info, tags = run.info, run.data.tags
    if store.folder is not None:
        artifacts = local_database.artifacts_here(info.artifact_uri, store.folder)
        return _local_attempt(RunRow(info.run_id, info.status, info.end_time, artifacts, tags))
    epoch = 0
    if info.status != "FINISHED":
        listed = store.client.list_artifacts(info.run_id, names.CHECKPOINTS)
        epoch = epoch_of(item.path for item in listed)
    return Attempt(info.run_id, info.status, info.end_time, tags, epoch)


def epoch_of(paths: Iterable[str]) -> int:
    """Return the latest epoch that a checkpoint file exists for; 0 if there is none."""
    found = [_CHECKPOINT.search(path) for path in paths]
    return max((int(match[1]) for match in found if match), default=0)
