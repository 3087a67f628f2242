"""Copies runs from one store to another, complete: only their ids change."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import TypeVar

from mlflow import MlflowClient
from mlflow.entities import Experiment, Param, Run, RunTag
from mlflow.utils.validation import MAX_METRICS_PER_BATCH, MAX_PARAMS_TAGS_PER_BATCH

from pipeline.errors import StoreError
from pipeline.tracking import names
from pipeline.tracking.artifacts import digests
from pipeline.tracking.logged_models import finish_model, models_of, new_model, upload_model
from pipeline.tracking.queries import find_experiment
from pipeline.tracking.store import Store
from pipeline.tracking.temporary_folder import temporary_folder
from pipeline.tracking.tracked_run import TrackedRun, log_inputs

_CARRIED = f"tags.`{names.ORIGIN}` LIKE '%'"
_ONGOING = ("RUNNING", "SCHEDULED")

Item = TypeVar("Item")


@dataclass(frozen=True)
class Move:
    """One run to copy."""

    source: Run
    experiment_id: str  # id of the target's experiment of the same name
    begun: str | None  # id of the incomplete copy of an earlier attempt; None if there is none


@dataclass(frozen=True)
class MovePlan:
    """The runs to copy, and those to skip: already copied or still running."""

    moves: tuple[Move, ...]
    present: int
    ongoing: int


def plan_move(source: Store, target: Store, experiment: str | None) -> MovePlan:
    """Find the runs to copy, oldest first, after copying experiments and their saved views.

    Args:
        source: the store to read from; it is not changed.
        target: the store in which experiments of the same names are created.
        experiment: name of the only experiment to copy; None copies all.

    Raises:
        StoreError: when the experiment does not exist, or both stores are the same.
    """
    if source.uri == target.uri:
        raise StoreError(f"to={target.uri} is the store that the runs are in.")
    moves: list[Move] = []
    present = ongoing = 0
    for one in _experiments(source, experiment):
        runs = list(source.search_runs([one.experiment_id], ""))
        if not runs:
            continue
        there = _prepare_experiment(target, one)
        known = {run.data.tags[names.ORIGIN]: run for run in target.search_runs([there], _CARRIED)}
        for run in runs:
            found = known.get(run.info.run_id)
            if found is not None and found.info.status not in _ONGOING:
                present += 1
            elif run.info.status in _ONGOING:
                ongoing += 1
            else:
                moves.append(Move(run, there, found.info.run_id if found else None))
    moves.sort(key=lambda move: move.source.info.start_time)
    return MovePlan(tuple(moves), present, ongoing)


def _experiments(source: Store, name: str | None) -> list[Experiment]:
    if name is None:
        return list(source.client.search_experiments())
    return [find_experiment(source, name)]


def _prepare_experiment(target: Store, source: Experiment) -> str:
    """Return the target's experiment of the same name, with missing tags (saved views) added."""
    experiment = target.experiment(source.name)
    for key, value in source.tags.items():
        if key not in experiment.tags:
            target.client.set_experiment_tag(experiment.experiment_id, key, value)
    return str(experiment.experiment_id)


def move_run(source: Store, target: Store, move: Move) -> str:
    """Copy one run, verify the copy, and return its id in the target.

    The copy is RUNNING until everything has arrived, and then ends like the original. Calling this
    again completes an interrupted copy.

    Raises:
        StoreError: when the copy differs from the original.
    """
    client, info = target.client, move.source.info
    run_id = move.begun or _create(client, move)
    _copy_data(source.client, client, move.source, run_id)
    _copy_artifacts(source.client, client, move.source, run_id)
    _check_data(move.source, client.get_run(run_id))
    client.set_terminated(run_id, info.status, info.end_time)
    return run_id


def _create(client: MlflowClient, move: Move) -> str:
    info = move.source.info
    created = client.create_run(
        move.experiment_id,
        start_time=info.start_time,
        tags={names.ORIGIN: info.run_id},
        run_name=info.run_name,
    )
    return str(created.info.run_id)


def _copy_data(source: MlflowClient, target: MlflowClient, run: Run, run_id: str) -> None:
    params = [Param(key, value) for key, value in run.data.params.items()]
    tags = [RunTag(key, value) for key, value in run.data.tags.items() if key != names.ORIGIN]
    histories = [source.get_metric_history(run.info.run_id, key) for key in run.data.metrics]
    points = [point for history in histories for point in history]
    for some in _batches(params, MAX_PARAMS_TAGS_PER_BATCH):
        target.log_batch(run_id, params=some)
    for few in _batches(tags, MAX_PARAMS_TAGS_PER_BATCH):
        target.log_batch(run_id, tags=few)
    for many in _batches(points, MAX_METRICS_PER_BATCH):
        target.log_batch(run_id, metrics=many)
    if run.inputs and run.inputs.dataset_inputs:
        log_inputs(target, run_id, run.inputs.dataset_inputs)


def _batches(items: Sequence[Item], size: int) -> Iterator[Sequence[Item]]:
    """Yield slices of the size that MLflow accepts in one request."""
    return (items[start : start + size] for start in range(0, len(items), size))


def _copy_artifacts(source: MlflowClient, target: MlflowClient, run: Run, new: str) -> None:
    old = run.info.run_id
    with temporary_folder() as folder:
        sent, arrived = folder / "sent", folder / "arrived"
        for place in (sent, arrived):
            place.mkdir()
        source.download_artifacts(old, "", str(sent))
        target.log_artifacts(new, str(sent))
        target.download_artifacts(new, "", str(arrived))
        expected, found = digests(sent, sent), digests(arrived, arrived)
        if models_of(run):
            tracked = TrackedRun(target, new)
            model = new_model(tracked)
            upload_model(tracked, model, sent / names.SERVED_MODEL)
            finish_model(tracked, model)
    if wrong := sorted(path for path, digest in expected.items() if found.get(path) != digest):
        raise StoreError(f"run {old}: {', '.join(wrong)} did not arrive as sent.")


def _check_data(old: Run, new: Run) -> None:
    sent, arrived = _comparable(old), _comparable(new)
    if missing := sorted(sent - arrived):
        raise StoreError(f"run {old.info.run_id}: {missing[0]} did not arrive as sent.")


def _comparable(run: Run) -> set[str]:
    """Return a run's parameters, tags and last metrics as text, so that NaN equals NaN."""
    kinds: dict[str, Mapping[str, object]] = {
        "params": run.data.params,
        "tags": run.data.tags,
        "metrics": run.data.metrics,
    }
    return {
        f"{kind}.{key}={value}"
        for kind, values in kinds.items()
        for key, value in values.items()
        if key != names.ORIGIN
    }
