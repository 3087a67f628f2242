"""What a run stored of itself, read back for its page; no TensorFlow."""

import json
import tempfile
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from zipfile import BadZipFile

import numpy as np
import yaml
from mlflow import MlflowClient
from mlflow.entities import Run
from mlflow.exceptions import MlflowException

from pipeline.tracking import names
from pipeline.tracking.artifacts import download
from pipeline.training.history import Epoch, History

_FILES = (
    names.TEST_PREDICTIONS,
    names.OVERRIDES,
    names.MACHINE,
    names.PREPROCESSING,
    names.PARITY_OUTCOME,
    names.PARITY_REPORTS,
    names.WORST_EXAMPLES,
)


@dataclass(frozen=True)
class StoredRun:
    """All that a run's page shows; empty, or None, where the run did not store it.

    Attributes:
        run: parameters, last metrics and tags.
        experiment: the name of its experiment.
        overrides: the settings that were set by hand.
        machine: where it ran.
        classes: names in label order.
        history: every epoch.
        predicted: the class that Keras gave each test example, `(N,)`.
        labels: their true classes, `(N,)`.
        parity: the check's outcome.
        reports: both classification reports, side by side.
        examples: on which both sides differ most.
    """

    run: Run
    experiment: str
    overrides: Sequence[str]
    machine: Mapping[str, Any]
    classes: Sequence[str]
    history: History | None
    predicted: np.ndarray | None
    labels: np.ndarray | None
    parity: Mapping[str, Any]
    reports: str
    examples: Sequence[Mapping[str, Any]]


def read_stored(client: MlflowClient, run_id: str) -> StoredRun:
    """Read a run back from where it is tracked."""
    run = client.get_run(run_id)
    with tempfile.TemporaryDirectory(prefix="parity-pipeline-") as name:
        folder = Path(name)
        files = {path: _download(client, run, path, folder) for path in _FILES}
        texts = {
            path: _text(file) for path, file in files.items() if path != names.TEST_PREDICTIONS
        }
        predicted, labels = _predictions(files[names.TEST_PREDICTIONS])
    return StoredRun(
        run=run,
        experiment=client.get_experiment(run.info.experiment_id).name,
        overrides=yaml.safe_load(texts[names.OVERRIDES]) or [],
        machine=_json(texts[names.MACHINE], {}),
        classes=_json(texts[names.PREPROCESSING], {}).get("classes", []),
        history=_history(client, run_id),
        predicted=predicted,
        labels=labels,
        parity=_json(texts[names.PARITY_OUTCOME], {}),
        reports=texts[names.PARITY_REPORTS],
        examples=_json(texts[names.WORST_EXAMPLES], []),
    )


def _download(client: MlflowClient, run: Run, path: str, folder: Path) -> Path | None:
    """An artifact as a file; None when there is none."""
    try:
        return download(client, run.info.artifact_uri, path, folder)
    except (MlflowException, OSError):
        return None


def _text(file: Path | None) -> str:
    return file.read_text("utf-8", errors="replace") if file else ""


def _json(text: str, otherwise: Any) -> Any:
    """What a document holds; a spoiled one (the check tells of it) leaves the page without it."""
    try:
        return json.loads(text)
    except ValueError:
        return otherwise


def _predictions(file: Path | None) -> tuple[np.ndarray | None, np.ndarray | None]:
    if file is None:
        return None, None
    try:
        with np.load(file, allow_pickle=False) as arrays:
            return arrays["probabilities"].argmax(axis=1), arrays["labels"]
    except (OSError, ValueError, KeyError, BadZipFile):
        return None, None


def _history(client: MlflowClient, run_id: str) -> History | None:
    curves = {
        name: {one.step: one.value for one in client.get_metric_history(run_id, metric)}
        for name, metric in names.EPOCH_METRICS.items()
    }
    numbers = sorted(set.intersection(*(set(curve) for curve in curves.values())))
    epochs = [
        Epoch(number=number, **{name: curve[number] for name, curve in curves.items()})
        for number in numbers
    ]
    return History(tuple(epochs), restored=False) if epochs else None
