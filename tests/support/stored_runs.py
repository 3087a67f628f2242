"""A finished run as a training stores it, made in a second without Keras."""

from pathlib import Path

import numpy as np
import yaml

import scratch_forward
from pipeline.data import load
from pipeline.settings import parse_settings
from pipeline.tasks import classification
from pipeline.tracking import names
from pipeline.tracking.fingerprints import fingerprints_tag
from pipeline.tracking.store import Store
from pipeline.tracking.tracked_run import TrackedRun, tracked_run
from scratch_forward.card import write_card
from tests.support import archives
from tests.support.classifiers import text_model
from tests.support.plans import values_of


def store_run(store: Store, overrides=("dataset=reviews", "train_size=30")) -> TrackedRun:
    """Store weights, predictions, scores and settings of an untrained model of texts."""
    values = values_of("model=lstm", *overrides)
    dataset = load(**parse_settings(values).data)
    experiment = store.experiment("reviews").experiment_id
    with tracked_run(store, experiment, "a run", {}) as run:
        run.log_text(yaml.safe_dump(values), names.CONFIG)
        run.log_text(yaml.safe_dump(list(overrides)), names.OVERRIDES)
        with run.artifact_folder(names.WEIGHTS) as folder:
            path = folder / Path(names.KERAS_MODEL).name
            archives.write(path, text_model(dataset.preprocessing))
            (folder / "preprocessing.json").write_text(dataset.preprocessing.to_json())
            model = scratch_forward.load(path)
            write_card(
                path, model, lambda given: model.predict(given[0]), {}, dataset.preprocessing
            )
            probabilities = model.predict(dataset.test.inputs)
        log_predictions(run, probabilities, dataset.test.labels)
        scores = classification.scores(probabilities, dataset.test.labels, dataset.classes)
        run.log_metrics({f"{names.TEST}{name}": value for name, value in scores.items()})
        run.set_tags(fingerprints_tag(dataset.fingerprints))
    return run


def log_predictions(run: TrackedRun, probabilities: np.ndarray, labels: np.ndarray) -> None:
    """Store Keras's predictions."""
    with run.artifact_folder(names.PREDICTIONS) as folder:
        np.savez(folder / "test.npz", probabilities=probabilities, labels=labels)
