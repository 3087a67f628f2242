"""One MLflow run: what is logged to it, and how it ends."""

import json
import tempfile
import time
import traceback
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from mlflow import MlflowClient
from mlflow.entities import Dataset, DatasetInput, InputTag, Metric, Param, RunTag
from mlflow.exceptions import MlflowException

from pipeline.errors import summary
from pipeline.tracking.store import Store

_FLUSH_SECONDS = 2.0


class TrackedRun:
    """Writes to one run.

    Metrics are held back and sent in batches, since a request to a server costs some 50 ms.
    """

    def __init__(self, client: MlflowClient, run_id: str):
        self.client, self.run_id = client, run_id
        self._pending: list[Metric] = []
        self._flushed = time.monotonic()

    def log_params(self, params: Mapping[str, Any]) -> None:
        """Store parameters in one request; each can be set once."""
        entries = [Param(key, str(value)) for key, value in params.items()]
        self.client.log_batch(self.run_id, params=entries)

    def set_tags(self, tags: Mapping[str, Any]) -> None:
        """Store tags in one request; a tag that exists is replaced."""
        entries = [RunTag(key, str(value)) for key, value in tags.items()]
        self.client.log_batch(self.run_id, tags=entries)

    def log_metrics(self, metrics: Mapping[str, float], step: int = 0) -> None:
        """Queue metrics; they are sent every two seconds, and at the latest with the run's end."""
        now = int(time.time() * 1000)
        self._pending += [Metric(key, value, now, step) for key, value in metrics.items()]
        if time.monotonic() - self._flushed > _FLUSH_SECONDS:
            self.flush()

    def flush(self) -> None:
        """Send the queued metrics."""
        pending, self._pending = self._pending, []
        self._flushed = time.monotonic()
        if pending:
            self.client.log_batch(self.run_id, metrics=pending)

    def log_text(self, text: str, path: str) -> None:
        """Store text as the artifact `path`."""
        self.client.log_text(self.run_id, text, path)

    def log_json(self, value: Any, path: str) -> None:
        """Store a JSON document as the artifact `path`."""
        self.log_text(json.dumps(value, indent=2, ensure_ascii=False) + "\n", path)

    def log_dataset(self, name: str, digest: str, source: str) -> None:
        """Name the data in the UI's Dataset column."""
        dataset = Dataset(name, digest, source_type="code", source=json.dumps({"source": source}))
        context = [InputTag("mlflow.data.context", "training")]
        log_inputs(self.client, self.run_id, [DatasetInput(dataset, context)])

    @contextmanager
    def artifact_folder(self, name: str) -> Iterator[Path]:
        """A temporary folder whose files become artifacts under `name` when the block succeeds."""
        with tempfile.TemporaryDirectory(prefix="parity-pipeline-") as parent:
            folder = Path(parent) / name  # a model that is packed from it keeps the name
            folder.mkdir()
            yield folder
            self.client.log_artifacts(self.run_id, str(folder), name)


def log_inputs(client: MlflowClient, run_id: str, inputs: list[DatasetInput]) -> None:
    """Name the data of a run, which other runs may be doing for the same data at this moment."""
    try:
        client.log_inputs(run_id, inputs)
    except MlflowException:  # another run was quicker to store them; now they are found
        client.log_inputs(run_id, inputs)


@contextmanager
def tracked_run(
    store: Store, experiment_id: str, name: str, tags: Mapping[str, Any]
) -> Iterator[TrackedRun]:
    """Open a run for the length of a block and end it truthfully.

    FINISHED when the block succeeds; KILLED when it is interrupted (Ctrl-C, SIGTERM); FAILED on any
    other exception, its traceback stored as `error/traceback.txt`. The exception goes on its way.
    """
    client = store.client
    created = client.create_run(
        experiment_id, tags={key: str(value) for key, value in tags.items()}, run_name=name
    )
    run = TrackedRun(client, created.info.run_id)
    try:
        yield run
        run.flush()
    except KeyboardInterrupt:
        _end(run, "KILLED")
        raise
    except BaseException as error:
        run.log_text(traceback.format_exc(), "error/traceback.txt")
        run.set_tags({"error": summary(error)})
        _end(run, "FAILED")
        raise
    else:
        _end(run, "FINISHED")


def _end(run: TrackedRun, status: str) -> None:
    run.flush()
    run.client.set_terminated(run.run_id, status)
