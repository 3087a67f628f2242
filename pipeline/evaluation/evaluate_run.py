"""Evaluates one run on labelled data that it was not trained on."""

from collections.abc import Hashable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from mlflow import MlflowClient
from mlflow.entities import Run
from mlflow.exceptions import MlflowException

from pipeline.data.evaluation_data import LabelledData, load_labelled
from pipeline.data.loading import load_train
from pipeline.data.user.location import found_again
from pipeline.errors import DatasetError, StoreError, summary
from pipeline.settings import SettingsError
from pipeline.tasks import Task
from pipeline.tracking import names
from pipeline.tracking.artifacts import damage
from pipeline.tracking.fingerprints import DIGITS, stored_fingerprint
from pipeline.tracking.temporary_folder import temporary_folder
from pipeline.verification.check import Parity, compare_on, stored_settings, stored_task
from scratch_forward import ArchiveError, UnsupportedModelError
from scratch_forward.preprocessing import PreprocessingError, from_json

_NEEDED = (names.WEIGHTS, names.CONFIG_FOLDER)


@dataclass(frozen=True)
class ChosenData:
    """The data to evaluate on."""

    name: str  # their name in metrics and artifacts
    options: Mapping[str, Any]  # the settings of the data set
    part: str  # `train`, `validation` or `test`
    data_dir: str  # folder of the data sets


@dataclass(frozen=True, eq=False)
class Evaluation:
    """A run on other data."""

    run: Run
    data: LabelledData
    task: Task
    classes: tuple[str, ...]  # names of the classes, labels or targets
    outputs: np.ndarray  # Keras's outputs, `(N, outputs)`
    scores: Mapping[str, float]  # every score of the task, by name
    report: str  # the scores per class or target, as text
    parity: Parity  # Keras compared with NumPy on these data
    # number of examples that also occur in the run's training data; None if unknown
    copies: int | None
    notes: tuple[str, ...]  # remarks in one sentence each


def evaluate_run(client: MlflowClient, run_id: str, chosen: ChosenData) -> Evaluation:
    """Predict labelled data with Keras and with NumPy, and score them.

    Raises:
        DatasetError: when the data do not fit the run.
        StoreError: when the run has no intact weights.
    """
    run = client.get_run(run_id)
    with temporary_folder() as folder:
        _download(client, run, folder)
        try:
            settings, task = stored_settings(folder), stored_task(run.data)
            preprocessing = from_json((folder / names.PREPROCESSING).read_text(encoding="utf-8"))
        except (SettingsError, PreprocessingError) as error:
            raise StoreError(f"run_id={run_id}: {error}") from error
        data = load_labelled(chosen.options, chosen.part, preprocessing, task.name, chosen.data_dir)
        outputs = _keras_outputs(folder, data.split.inputs, run_id)
        classes, labels = preprocessing.classes, data.split.labels
        copies, unknown = _copies(data.contents, settings.data, chosen.data_dir, run)
        return Evaluation(
            run,
            data,
            task,
            classes,
            outputs,
            task.scores(outputs, labels, classes),
            task.report(outputs, labels, classes),
            _parity(folder, task, outputs, data, classes),
            copies,
            (*unknown, *_absent(task, labels, classes)),
        )


def _download(client: MlflowClient, run: Run, folder: Path) -> None:
    run_id = run.info.run_id
    try:
        for artifact in _NEEDED:
            client.download_artifacts(run_id, artifact, str(folder))
        client.download_artifacts(run_id, names.MANIFEST, str(folder))
    except (MlflowException, OSError) as error:
        raise StoreError(
            f"run_id={run_id} has no weights to evaluate; it is {run.info.status}."
        ) from error
    if faults := damage(folder, _NEEDED):
        raise StoreError(f"run_id={run_id}: {' '.join(faults)}")


def _keras_outputs(folder: Path, inputs: Any, run_id: str) -> np.ndarray:
    from pipeline.models.keras_backend import keras
    from pipeline.training.prediction import predict

    try:
        model = keras.models.load_model(folder / names.KERAS_MODEL, compile=False)
    except Exception as error:  # such as a layer of the user that is not registered here
        raise StoreError(f"run_id={run_id}: Keras cannot load it: {summary(error)}") from error
    return predict(model, inputs, trim=False)


def _parity(
    folder: Path, task: Task, outputs: np.ndarray, data: LabelledData, classes: tuple[str, ...]
) -> Parity:
    try:
        return compare_on(folder, task, outputs, data.split, classes)
    except UnsupportedModelError as error:
        return Parity("unsupported", f"NumPy's forward pass does not support {error.listed}.")
    except ArchiveError as error:
        return Parity("failed", f"{names.KERAS_MODEL}: {error}")


def _copies(
    contents: Sequence[Hashable], options: Mapping[str, Any], data_dir: str, run: Run
) -> tuple[int | None, list[str]]:
    """Count the examples that occur in the training data, if these can still be read."""
    try:
        train, split = load_train(**found_again({**options, "data_dir": data_dir}))
    except DatasetError as error:
        return None, [f"whether examples occur in the training data is unknown: {error}"]
    if split.fingerprint[:DIGITS] != stored_fingerprint(run.data.tags, "train"):
        return None, [
            "whether examples occur in the training data is unknown: these have changed since."
        ]
    seen = set(train.contents())
    return sum(one in seen for one in contents), []


def _absent(task: Task, labels: np.ndarray, classes: Sequence[str]) -> list[str]:
    """Return a remark on classes without examples, whose F1 of 0 is part of the macro F1."""
    if task.name == "regression":
        return []
    counts = labels.sum(axis=0) if labels.ndim == 2 else np.bincount(labels, minlength=len(classes))
    absent = [name for name, count in zip(classes, counts, strict=True) if not count]
    if not absent:
        return []
    return [
        f"there is no example of {', '.join(absent)}: the F1 of such a {task.unit} is 0 and lowers "
        "the macro F1."
    ]
