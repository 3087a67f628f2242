"""What a run stored, read back for its page without TensorFlow."""

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, TypeVar

import numpy as np
from mlflow import MlflowClient
from mlflow.entities import Run
from mlflow.exceptions import MlflowException

from pipeline.data.label_task import TASKS
from pipeline.settings.stored_yaml import StoredYamlError, read_stored_yaml
from pipeline.tasks import Task, task_named
from pipeline.tracking import names
from pipeline.tracking.artifacts import download
from pipeline.tracking.temporary_folder import temporary_folder
from pipeline.training.history import Epoch, History
from pipeline.verification.worst_examples import Mistake, WorstExample
from scratch_forward import ArchiveError, Limits
from scratch_forward.io.stored_arrays import read_arrays

_FILES = (
    names.TEST_PREDICTIONS,
    names.OVERRIDES,
    names.MACHINE,
    names.PREPROCESSING,
    names.PARITY_OUTCOME,
    names.PARITY_REPORTS,
    names.PARITY_RESIDUALS,
    names.PARITY_SCORES,
    names.WORST_EXAMPLES,
    names.MISTAKES,
)
_LARGEST_TEXT = 2**26  # bytes; a vocabulary has some 100,000
_LARGEST = 1e300  # MLflow stores infinity as 1.8e308
_Item = TypeVar("_Item")


@dataclass(frozen=True)
class StoredEvaluation:
    """An evaluation of the run on other data."""

    name: str
    examples: int
    copies: int | None  # how many of them occur in the training data; None if unknown
    scores: Mapping[str, float]  # every score of the task, by name
    parity: str  # the tag of the comparison


@dataclass(frozen=True)
class StoredRun:
    """The data of a run's page; empty or None where the run did not store them."""

    run: Run  # parameters, last metrics and tags
    task: Task
    experiment: str  # name of the run's experiment
    overrides: Sequence[str]  # the settings that were set by hand
    machine: Mapping[str, Any]  # the machine that it ran on
    classes: Sequence[str]  # names of the classes, labels or targets
    history: History | None  # every epoch
    outputs: np.ndarray | None  # Keras's outputs for the test examples, `(N, outputs)`
    labels: np.ndarray | None  # the true labels, `(N,)` or `(N, K)`
    parity: Mapping[str, Any]  # outcome of the check
    # scores per class or target, by `keras` and by `scratch`
    class_scores: Mapping[str, Sequence[Any]]
    reports: str  # both test reports as text, side by side
    examples: Sequence[WorstExample]  # the examples on which Keras and NumPy differ most
    mistakes: Sequence[Mistake]  # the most confident wrong predictions
    evaluations: Sequence[StoredEvaluation]  # the evaluations on other data, by name


def read_stored(client: MlflowClient, run_id: str) -> StoredRun:
    """Read a run back from its store."""
    run = client.get_run(run_id)
    task = _task(run)
    with temporary_folder() as folder:
        files = {path: _download(client, run, path, folder) for path in _FILES}
        texts = {
            path: _text(file) for path, file in files.items() if path != names.TEST_PREDICTIONS
        }
        classes = _json(texts[names.PREPROCESSING], {}).get("classes", [])
        evaluations = _evaluations(client, run, folder)
        outputs, labels = _predictions(files[names.TEST_PREDICTIONS], task, len(classes))
    return StoredRun(
        run=run,
        task=task,
        experiment=client.get_experiment(run.info.experiment_id).name,
        overrides=_overrides(texts[names.OVERRIDES]),
        machine=_json(texts[names.MACHINE], {}),
        classes=classes,
        history=_history(client, run_id, task.measure),
        outputs=outputs,
        labels=labels,
        parity=_json(texts[names.PARITY_OUTCOME], {}),
        class_scores={
            side: _items(rows, task.row_type)
            for side, rows in _json(texts[names.PARITY_SCORES], {}).items()
        },
        reports=texts[names.parity_reports(task.name)],
        examples=_items(_json(texts[names.WORST_EXAMPLES], []), WorstExample),
        mistakes=_items(_json(texts[names.MISTAKES], []), Mistake),
        evaluations=evaluations,
    )


def _evaluations(client: MlflowClient, run: Run, folder: Path) -> list[StoredEvaluation]:
    if not any(metric.startswith(names.EVALUATION) for metric in run.data.metrics):
        return []  # without a request
    listed = client.list_artifacts(run.info.run_id, names.EVALUATIONS)
    found = [_evaluation(client, run, Path(one.path).name, folder) for one in listed]
    return [one for one in found if one is not None]


def _evaluation(client: MlflowClient, run: Run, name: str, folder: Path) -> StoredEvaluation | None:
    file = _download(client, run, names.evaluation_document(name), folder)
    document = _json(_text(file), {})
    try:
        data, scores, tag = document["data"], document["scores"], document["parity"]["tag"]
        copies = data["copies_of_training_examples"]
        return StoredEvaluation(name, int(data["examples"]), copies, dict(scores), str(tag))
    except (LookupError, TypeError, ValueError):
        return None


def _download(client: MlflowClient, run: Run, path: str, folder: Path) -> Path | None:
    """Download an artifact as a file; None if it does not exist."""
    try:
        return download(client, run.info.artifact_uri, path, folder)
    except (MlflowException, OSError):
        return None


def _text(file: Path | None) -> str:
    """Read a text; the page omits one that no run stores."""
    if file is None or file.stat().st_size > _LARGEST_TEXT:
        return ""
    return file.read_text("utf-8", errors="replace")


def _json(text: str, otherwise: Any) -> Any:
    """Parse a JSON document; the page omits a damaged one, which the check reports."""
    try:
        document = json.loads(text)
    except (ValueError, RecursionError):
        return otherwise
    return document if isinstance(document, type(otherwise)) else otherwise


def _overrides(text: str) -> list[str]:
    """Parse the list of overrides; a damaged one is shown as empty."""
    try:
        lines = read_stored_yaml(text)
    except StoredYamlError:
        return []
    return [str(line) for line in lines] if isinstance(lines, list) else []


def _items(documents: Any, kind: type[_Item]) -> list[_Item]:
    """Build objects from documents; an empty list if one does not fit."""
    try:
        return [kind(**document) for document in documents]
    except TypeError:
        return []


def _task(run: Run) -> Task:
    """Return the run's task; a spoiled tag counts as that of an earlier version."""
    name = names.task_of(run.data.tags)
    return task_named(name if name in TASKS else names.task_of({}))


def _predictions(
    file: Path | None, task: Task, classes: int
) -> tuple[np.ndarray | None, np.ndarray | None]:
    if file is None:
        return None, None
    try:
        arrays = read_arrays(file, names.TEST_PREDICTIONS, Limits().archive_bytes)
        outputs, labels = arrays[task.stored_as], arrays["labels"]
    except (ArchiveError, KeyError, ValueError):
        return None, None
    sound = outputs.dtype.kind == "f" and outputs.shape == (len(labels), task.outputs(classes))
    return (outputs, labels) if sound and task.are_labels(labels, classes) else (None, None)


def _at(number: int, curves: Mapping[str, Mapping[int, float]]) -> dict[str, Any]:
    """Return the value of each curve at an epoch."""
    return {name: curve[number] for name, curve in curves.items()}


def _history(client: MlflowClient, run_id: str, measure: str) -> History | None:
    """Return the epochs with finite numbers; a diverging fit ends with one that is not."""
    curves = {
        name: {one.step: one.value for one in client.get_metric_history(run_id, metric)}
        for name, metric in names.epoch_metrics(measure).items()
    }
    numbers = sorted(set.intersection(*(set(curve) for curve in curves.values())))
    epochs = [
        Epoch(number, measure=measure, **_at(number, curves))
        for number in numbers
        if all(abs(curve[number]) < _LARGEST for curve in curves.values())  # also False for NaN
    ]
    return History(tuple(epochs), restored=False) if epochs else None
