"""One MLflow run: what is logged to it, and how it ends."""

import json
import time
import traceback
from collections.abc import Iterator, Mapping, Set
from contextlib import contextmanager, suppress
from functools import cached_property
from pathlib import Path
from typing import Any

from mlflow import MlflowClient
from mlflow.entities import Dataset, DatasetInput, InputTag, Metric, Param, Run, RunTag
from mlflow.exceptions import MlflowException

from pipeline.errors import ClaimLostError, PrunedError, StoreAwayError, summary
from pipeline.tracking import names
from pipeline.tracking.artifacts import local_folder, manifest, share, store_file, store_folder
from pipeline.tracking.heartbeats import beating, owner_tags
from pipeline.tracking.membership import shortened
from pipeline.tracking.retries import patiently
from pipeline.tracking.store import Store
from pipeline.tracking.temporary_folder import temporary_folder

_FLUSH_SECONDS = 2.0
_LONGEST_NAME = 250  # characters in MLflow's table of runs; only SQLite stores longer ones


class TrackedRun:
    """Writes to one run.

    Metrics are queued and sent in batches, because a request to a server takes some 50 ms. A metric
    that the run already has at a step, from before an interruption, is not logged again unless its
    value differs: the last logged value counts.
    """

    def __init__(self, client: MlflowClient, run_id: str):
        self.client, self.run_id = client, run_id
        self._pending: list[Metric] = []
        self._logged: dict[tuple[str, int], float] = {}
        self._flushed = time.monotonic()
        self._digests: dict[str, str] = {}
        self.end_status = "FINISHED"  # an exception changes it

    @cached_property
    def entity(self) -> Run:
        """The run when this object first needed it: its experiment, artifacts and models."""
        return self.client.get_run(self.run_id)

    @property
    def _artifact_uri(self) -> str:
        return str(self.entity.info.artifact_uri)

    def recall(self) -> None:
        """Load the metrics of a resumed run."""
        for key in self.client.get_run(self.run_id).data.metrics:
            history = self.client.get_metric_history(self.run_id, key)
            self._logged |= {(key, metric.step): metric.value for metric in history}

    def log_params(self, params: Mapping[str, Any]) -> None:
        """Store parameters in one request; each can be set only once."""
        self._log_batch(params=[Param(key, str(value)) for key, value in params.items()])

    def set_tags(self, tags: Mapping[str, Any]) -> None:
        """Store tags in one request; existing tags are replaced."""
        self._log_batch(tags=[RunTag(key, str(value)) for key, value in tags.items()])

    def remove_tags(self, tags: Set[str]) -> None:
        """Remove the given tags that the run has."""
        for tag in tags & self.client.get_run(self.run_id).data.tags.keys():
            self.client.delete_tag(self.run_id, tag)

    def log_metrics(self, metrics: Mapping[str, float], step: int = 0) -> None:
        """Queue metrics; they are sent every two seconds and when the run ends."""
        now = int(time.time() * 1000)
        fresh = [key for key in metrics if not self._has(key, step, metrics[key])]
        self._logged |= {(key, step): metrics[key] for key in fresh}
        self._pending += [Metric(key, metrics[key], now, step) for key in fresh]
        if time.monotonic() - self._flushed > _FLUSH_SECONDS:
            self.flush()

    def _has(self, key: str, step: int, value: float) -> bool:
        """Return whether the run has a metric; an epoch's duration always counts as equal."""
        if (key, step) not in self._logged:
            return False
        logged = self._logged[key, step]
        both_nan = logged != logged and value != value
        return key == names.EPOCH_SECONDS or logged == value or both_nan

    def flush(self) -> None:
        """Send the queued metrics.

        They leave the queue once they are stored: an interruption in between loses none, and a
        point that is sent twice is stored once.
        """
        self._flushed = time.monotonic()
        if pending := [*self._pending]:
            self._log_batch(metrics=pending)
            del self._pending[: len(pending)]

    def _log_batch(self, **entries: Any) -> None:
        self.client.log_batch(self.run_id, **entries)

    def log_text(self, text: str, path: str) -> None:
        """Store text as the artifact `path`."""
        folder, _, name = path.rpartition("/")
        with temporary_folder() as parent:
            file = parent / name
            file.write_text(text, encoding="utf-8")
            self._digests[path] = patiently(
                store_file, self.client, self.run_id, self._artifact_uri, file, folder
            )

    def log_json(self, value: Any, path: str) -> None:
        """Store a JSON document as the artifact `path`."""
        self.log_text(json.dumps(value, indent=2, ensure_ascii=False) + "\n", path)

    def log_dataset(self, name: str, digest: str, source: str) -> None:
        """Show the data set in the UI's Dataset column."""
        dataset = Dataset(name, digest, source_type="code", source=json.dumps({"source": source}))
        context = [InputTag(names.DATA_CONTEXT, "training")]
        log_inputs(self.client, self.run_id, [DatasetInput(dataset, context)])

    @contextmanager
    def artifact_folder(self, name: str) -> Iterator[Path]:
        """Yield a temporary folder; if the block succeeds, it becomes the artifacts `name`."""
        with temporary_folder() as parent:
            folder = parent / name  # a model packaged from it keeps the name
            folder.mkdir()
            yield folder
            self._digests |= patiently(store_folder, self.client, self.run_id, folder)

    def share(self, kept: str, copies: str) -> None:
        """Store files common to two artifact folders once, if the artifacts are on this machine."""
        here = local_folder(self._artifact_uri)
        if here is not None:
            within = [[p for p in self._digests if p.startswith(f"{f}/")] for f in (kept, copies)]
            share(here, *within)

    def log_manifest(self) -> None:
        """Store the digests of all artifacts that this object has stored."""
        self.log_text(manifest(self._digests), names.MANIFEST)

    def fail(self, reason: str) -> None:
        """Make the run end as FAILED without an exception."""
        self.end_status = "FAILED"
        self.set_tags({names.ERROR: reason})

    def beat(self) -> None:
        """Record that the process is alive."""
        self.client.set_tag(self.run_id, names.HEARTBEAT, owner_tags()[names.HEARTBEAT])


def log_inputs(client: MlflowClient, run_id: str, inputs: list[DatasetInput]) -> None:
    """Log a run's data sets; other runs may log the same ones concurrently."""
    try:
        client.log_inputs(run_id, inputs)
    except MlflowException:  # another run stored them first; now they are found
        client.log_inputs(run_id, inputs)


@contextmanager
def tracked_run(
    store: Store,
    experiment_id: str,
    name: str,
    tags: Mapping[str, Any],
    *,
    resume: str | None = None,
    log: Path | None = None,
) -> Iterator[TrackedRun]:
    """Open a run for the duration of a block, and end it with the matching status.

    FINISHED when the block succeeds; KILLED when it is interrupted (Ctrl-C, SIGTERM) or pruned,
    which sets the tag `pruned`; FAILED on any other exception, whose traceback is stored as
    `error/traceback.txt`. The exception propagates.

    Args:
        resume: id of an unfinished run to resume; None creates a new one.
        log: a file with the output of the process, stored as `log.txt`.
    """
    own = {**{key: str(value) for key, value in tags.items()}, **owner_tags()}
    run = _taken_up(store, resume, own) if resume else _new(store, experiment_id, name, own)
    try:
        with beating(run.beat):
            yield run
            _keep_log(run, log)
            run.flush()
            run.log_manifest()
    except KeyboardInterrupt:
        end_run(run, "KILLED", log)
        raise
    except PrunedError as pruned:
        run.set_tags({names.PRUNED: pruned})
        end_run(run, "KILLED", log)
        raise
    except (StoreAwayError, ClaimLostError):
        raise  # this process must not end the run, or the store would refuse it
    except BaseException as error:
        with suppress(Exception):  # the store may be the cause; the original error propagates
            run.set_tags({names.ERROR: summary(error)})
            run.log_text(traceback.format_exc(), names.TRACEBACK)
            end_run(run, "FAILED", log)
        raise
    else:
        end_run(run, run.end_status)


def _new(store: Store, experiment_id: str, name: str, tags: Mapping[str, str]) -> TrackedRun:
    """Create a run, and delete those of earlier requests whose reply was lost.

    They are recognised by the same owner and start time.
    """
    moment = int(time.time() * 1000)
    name = shortened(name, _LONGEST_NAME)
    created = store.client.create_run(experiment_id, moment, dict(tags), name)
    if store.folder is None:
        owner = f"tags.`{names.OWNER}` = '{tags[names.OWNER]}'"
        same = f"{owner} AND attributes.start_time = {moment}"
        for twin in store.client.search_runs([experiment_id], same):
            if twin.info.run_id != created.info.run_id:
                store.client.delete_run(twin.info.run_id)
    return TrackedRun(store.client, created.info.run_id)


def _taken_up(store: Store, run_id: str, tags: Mapping[str, str]) -> TrackedRun:
    run = TrackedRun(store.client, run_id)
    run.set_tags(tags)
    store.client.update_run(run_id, status="RUNNING")
    run.remove_tags({names.ERROR, names.PRUNED})
    run.recall()
    return run


def _keep_log(run: TrackedRun, log: Path | None) -> None:
    if log is not None and log.is_file():
        run.log_text(log.read_text(errors="replace"), names.LOG)


def end_run(run: TrackedRun, status: str, log: Path | None = None) -> None:
    """End a run.

    Args:
        status: FINISHED, FAILED or KILLED.
        log: a file with the output of its process, stored as `log.txt`.
    """
    _keep_log(run, log)
    run.flush()
    run.client.set_terminated(run.run_id, status)
