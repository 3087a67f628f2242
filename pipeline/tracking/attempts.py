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
ACCEPTED = (*PASSED, *UNCHECKED)
State = Literal["done", "failed", "interrupted", "pruned", "running", "damaged", "new"]

_CHECKPOINT = re.compile(r"epoch-(\d+)\.npz$")
_FEW = 20  # jobs of a server that are always searched for one by one, 30 ms each
_SLOWER = 4  # times as long as reading a run among many others
_TAGS = (names.IDENTITY, names.PARITY, names.PRUNED, names.OWNER, names.HEARTBEAT)


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
    for identity, one in _find(store, experiment, list(dict.fromkeys(identities)), sweep_id):
        found.setdefault(identity, []).append(one)
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


_Found = tuple[str, Standing]  # how far one run has come, with the identity of its job


def _find(
    store: Store, experiment: str, identities: Sequence[str], sweep_id: str
) -> Iterable[_Found]:
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
    return [_of_local_run(row, tag) for row in rows]


def _of_local_run(row: RunRow, tag: str) -> _Found:
    if row.artifacts is None:
        return _of_run(row, tag)
    if row.status == "FINISHED":
        return _of_run(row, tag, intact=not missing(row.artifacts))
    files = (row.artifacts / names.CHECKPOINTS).glob("*")
    return _of_run(row, tag, epoch_of(path.name for path in files))


def _of_run(run: RunRow, tag: str, epoch: int = 0, intact: bool = True) -> _Found:
    """Return how far a run has come.

    Args:
        tag: the tag of the sweep's runs.
        epoch: epoch of its last checkpoint, 0 if there is none.
        intact: whether its artifacts exist, as far as a cheap check can tell.
    """
    state, listed = _state(run.status, run.tags, intact), tag in run.tags
    standing = Standing(state, run.run_id, epoch, run.ended or 0, listed)
    return run.tags[names.IDENTITY], standing


def _state(status: str, tags: Mapping[str, str], intact: bool) -> State:
    if status == "FINISHED":
        return "done" if intact and tags.get(names.PARITY) != "failed" else "damaged"
    if status == "FAILED":
        return "failed"
    if status == "RUNNING" and is_alive(tags):
        return "running"
    return "pruned" if status == "KILLED" and names.PRUNED in tags else "interrupted"


def _find_on_server(
    store: Store, experiment: str, identities: Sequence[str], sweep_id: str
) -> Iterator[_Found]:
    done: dict[str, str] = {}
    if len(identities) > _FEW:
        done = still_finished(store.uri, experiment, sweep_id, identities)
    for one, run_id in done.items():
        yield one, Standing("done", run_id, listed=True)
    if left := [one for one in identities if one not in done]:
        at_once = len(left) > max(_FEW, len(identities) / _SLOWER)
        yield from _find_through_mlflow(store, experiment, left, names.sweep_tag(sweep_id), at_once)


def _find_through_mlflow(
    store: Store, experiment: str, identities: Sequence[str], tag: str, at_once: bool = True
) -> Iterator[_Found]:
    """Query a sweep's finished runs at once, if asked to, then each job that has none.

    A job whose run in the sweep has failed may have a finished run outside of it.
    """
    found = store.client.get_experiment_by_name(experiment)
    if found is None:
        return
    ids, seen = [found.experiment_id], set[str]()
    if at_once:
        some = max(len(identities) // _SLOWER, 1)
        known = f"tags.`{names.IDENTITY}` LIKE '%'"
        newest = store.client.search_runs(ids, known, max_results=some)
        yield from _of_jobs(store, newest, identities, tag)
        if not newest.token:
            return  # a new experiment, or a small one: these were all of its runs
        finished = f"tags.`{tag}` LIKE '%' AND attributes.status = 'FINISHED'"
        for one, standing in _of_jobs(store, store.search_runs(ids, finished), identities, tag):
            seen.add(one)
            yield one, standing
    for one in identities:
        if one not in seen:
            same = f"tags.`{names.IDENTITY}` = '{one}'"
            yield from _of_jobs(store, store.search_runs(ids, same), [one], tag)


def _of_jobs(
    store: Store, runs: "Iterable[Run]", identities: Sequence[str], tag: str
) -> Iterator[_Found]:
    """Yield how far those of some runs have come that are attempts at the given jobs."""
    wanted = set(identities)
    for run in runs:
        if run.data.tags.get(names.IDENTITY) in wanted:
            yield _of_mlflow_run(store, run, tag)


def _of_mlflow_run(store: Store, run: "Run", tag: str) -> _Found:
    info, here = run.info, store.folder
    artifacts = local_database.artifacts_here(info.artifact_uri, here) if here else None
    row = RunRow(info.run_id, info.status, info.end_time, artifacts, run.data.tags)
    if here is not None:
        return _of_local_run(row, tag)
    ended = info.status == "FINISHED"
    files = [] if ended else store.client.list_artifacts(info.run_id, names.CHECKPOINTS)
    return _of_run(row, tag, epoch_of(file.path for file in files))


def epoch_of(paths: Iterable[str]) -> int:
    """Return the latest epoch that a checkpoint file exists for; 0 if there is none."""
    found = [_CHECKPOINT.search(path) for path in paths]
    return max((int(match[1]) for match in found if match), default=0)
