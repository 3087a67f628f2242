"""What is stored with every run, and under which names.

A metric's prefix is its section in MLflow's charts: `loss/train` and `loss/validation` are shown
side by side, and all `test/...` scores together.
"""

import shutil
from collections.abc import Callable, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from zipfile import ZipFile

import numpy as np
import yaml

import scratch_forward
from pipeline.data import Dataset
from pipeline.functions.lookup import is_own
from pipeline.job.brought import fit_sources
from pipeline.job.function_sources import sources
from pipeline.job.identity import code_versions
from pipeline.models.keras_backend import keras, tf
from pipeline.reports.run import run_figures
from pipeline.reports.run.prediction_figures import prediction_figures
from pipeline.serving.package import save_served_model
from pipeline.settings import Settings, flat_parameters
from pipeline.settings.own_functions import OWN_FUNCTIONS
from pipeline.tasks import task_named
from pipeline.tracking import names
from pipeline.tracking.environment import machine, packages, user, version_tags
from pipeline.tracking.fingerprints import code_tag, fingerprints_tag
from pipeline.tracking.logged_models import finish_model, new_model, upload_model
from pipeline.tracking.membership import membership
from pipeline.tracking.tracked_run import TrackedRun
from pipeline.training.history import Epoch, History
from scratch_forward.card import write_card
from scratch_forward.classifier import described_input

Predict = Callable[[np.ndarray], np.ndarray]


@dataclass(frozen=True)
class Predictions:
    """Keras's outputs, `(N, outputs)`, on the two splits that the model is not fitted on."""

    validation: np.ndarray
    test: np.ndarray


def tags(
    settings: Settings, dataset: Dataset, identity: str, keys: Sequence[str]
) -> dict[str, Any]:
    """Return the initial tags of a run, bookkeeping last: MLflow's UI keeps their order.

    Args:
        settings: the run's settings.
        dataset: the data set that it is trained on.
        identity: the job's identity.
        keys: the settings that the run is named by.
    """
    sweep, code = settings.sweep, code_versions(settings.model_name)
    return {
        **({names.FIRST_SWEEP: sweep.id, **membership(sweep.id, keys)} if sweep.id else {}),
        names.TASK: dataset.task,
        names.DATA: dataset.describe(),
        names.DATA_SYNTHETIC: dataset.synthetic,
        names.USER: user(),
        names.SOURCE_NAME: "pipeline.train",
        names.SOURCE_TYPE: "LOCAL",
        **version_tags(),
        names.IDENTITY: identity,
        **code_tag(code.training, code.model),
        **fingerprints_tag(dataset.fingerprints),
    }


def log_settings(tracked: TrackedRun, config: Mapping[str, Any], overrides: Sequence[str]) -> None:
    """Log the parameters, the configuration, the overrides and the environment."""
    tracked.log_params(flat_parameters(config))
    tracked.log_text(yaml.safe_dump(dict(config), sort_keys=False), names.CONFIG)
    tracked.log_text(yaml.safe_dump(list(overrides)), names.OVERRIDES)
    tracked.log_text(packages(), names.PACKAGES)
    tracked.log_json(machine(), names.MACHINE)


def log_code(tracked: TrackedRun, settings: Settings) -> None:
    """Log the source files of the user's functions."""
    files = fit_sources(settings)
    for group, name in (("model", settings.model_name), ("dataset", settings.dataset.name)):
        if is_own(name):
            files |= sources(OWN_FUNCTIONS[group](name))
    if not files:
        return
    with tracked.artifact_folder(names.CODE) as folder:
        for place, file in files.items():
            (folder / place).parent.mkdir(parents=True, exist_ok=True)
            shutil.copyfile(file, folder / place)


def log_data(tracked: TrackedRun, dataset: Dataset) -> None:
    """Log the data set: its name and the checksums of its files."""
    tracked.log_dataset(dataset.name, dataset.fingerprints["train"][:12], dataset.source)
    tracked.log_json(dict(dataset.checksums), names.CHECKSUMS)


def epoch_metrics(epoch: Epoch) -> dict[str, float]:
    """Return one epoch's point of every curve."""
    metrics = names.epoch_metrics(epoch.measure)
    own = {metric: getattr(epoch, name) for name, metric in metrics.items()}
    return {**epoch.further, **own}


def log_scores(
    tracked: TrackedRun, dataset: Dataset, history: History, predictions: Predictions
) -> dict[str, float]:
    """Log test and validation scores, the best epoch, the baseline and the test report."""
    task, classes = task_named(dataset.task), dataset.classes
    test, validation = dataset.test.labels, dataset.validation.labels
    baseline = task.baseline(dataset.train.labels, test, classes)
    best = names.best_metrics(task.measure)
    metrics = {
        **_on(names.TEST, task.scores(predictions.test, test, classes)),
        **_on(names.VALIDATION, task.scores(predictions.validation, validation, classes)),
        **{names.baseline(task.baseline_kind, name): value for name, value in baseline.items()},
        **{metric: getattr(history.best, name) for name, metric in best.items()},
    }
    tracked.log_metrics(metrics)
    degeneration = task.degeneration(predictions.test, test, classes)
    tracked.set_tags({names.DEGENERATE: degeneration or "no"})
    tracked.log_text(task.report(predictions.test, test, classes), names.test_report(task.name))
    return metrics


def _on(split: str, scores: Mapping[str, float]) -> dict[str, float]:
    return {split + score: value for score, value in scores.items()}


def log_weights(
    tracked: TrackedRun, model: keras.Model, dataset: Dataset, predict: Predict
) -> None:
    """Log both Keras formats with card and preprocessing, and the MLflow model.

    A model with a layer that NumPy's forward pass does not support has no card and no MLflow model.
    """
    tracked.log_metrics({names.PARAMETERS: model.count_params()})
    served = None
    with tracked.artifact_folder(names.WEIGHTS) as weights:
        model.save(weights / "model.keras")
        described = described_input(dataset.preprocessing, dataset.task)
        (weights / "preprocessing.json").write_text(described, encoding="utf-8")
        with suppress(scratch_forward.UnsupportedModelError):  # then NumPy cannot serve it
            _write_card(weights / "model.keras", predict, dataset)
            served = new_model(tracked)
            with tracked.artifact_folder(names.SERVED_MODEL) as packed:
                save_served_model(packed, weights, dataset.preprocessing, dataset.task, served)
                upload_model(tracked, served, packed)
        with ZipFile(weights / "model.keras") as archive:  # serving does not need it
            archive.extract("model.weights.h5", weights)
    tracked.share(names.WEIGHTS, names.SERVED_MODEL)
    if served is not None:
        finish_model(tracked, served)


def _write_card(archive: Path, predict: Predict, dataset: Dataset) -> None:
    versions = {"keras": keras.__version__, "tensorflow": tf.__version__}
    model = scratch_forward.load(archive)
    write_card(
        archive,
        model,
        predict=lambda inputs: predict(model.arranged(inputs)),
        about={**versions, **machine()},
        preprocessing=dataset.preprocessing,
        task=dataset.task,
    )


def log_predictions(tracked: TrackedRun, dataset: Dataset, predictions: Predictions) -> None:
    """Log test outputs and labels as arrays, without pickle."""
    outputs = task_named(dataset.task).stored_as
    arrays = {outputs: predictions.test, "labels": dataset.test.labels}
    with tracked.artifact_folder(names.PREDICTIONS) as folder:
        np.savez(folder / "test.npz", **arrays)  # type: ignore[arg-type]


def log_figures(
    tracked: TrackedRun, dataset: Dataset, history: History, predictions: Predictions
) -> None:
    """Log the curves and the figures of the predictions as SVG."""
    task = task_named(dataset.task)
    drawn = {
        "loss": run_figures.loss_curves(history),
        task.measure: run_figures.measure_curves(history),
        **prediction_figures(task, predictions.test, dataset.test.labels, dataset.classes),
    }
    with tracked.artifact_folder(names.FIGURES) as folder:
        for name, figure in drawn.items():
            (folder / f"{name}.svg").write_text(figure.document(), encoding="utf-8")
