"""One run, told once: data, model, training, evaluation, tracking, parity."""

import time
from collections.abc import Callable, Mapping, Sequence
from typing import Any

from pipeline import augmentation, models, records
from pipeline.batches import Augment
from pipeline.data_loading import shared_data
from pipeline.datasets import Dataset
from pipeline.datasets.catalogue import SPECS
from pipeline.keras_backend import keras
from pipeline.optimizers import build_optimizer
from pipeline.records import Predictions
from pipeline.run_page.writing import write_run_page
from pipeline.settings import Settings
from pipeline.settings.schema import Convolutional, Recurrent
from pipeline.tracking.run import TrackedRun, tracked_run
from pipeline.tracking.store import Store
from pipeline.training import fit, set_seeds
from pipeline.training_history import Epoch, History
from pipeline.verification import Parity, verify_run
from scratch_forward.preprocessing import ImagePreprocessing, TextPreprocessing

PREDICTION_BATCH = 256


def run(
    settings: Settings,
    config: Mapping[str, Any],
    overrides: Sequence[str],
    name: str,
    store: Store,
    *,
    on_epoch: Callable[[Epoch], None],
) -> Parity:
    """Train one model, log everything about it, and check it.

    Args:
        settings: what to train, checked.
        config: the configuration that the settings were read from, kept with the run.
        overrides: the part of it that was set by hand.
        name: the run's name.
        store: where the run is tracked.
        on_epoch: told of each epoch as it ends.

    Raises:
        Exception: whatever went wrong, after the run was marked FAILED or KILLED.
    """
    started = time.perf_counter()
    experiment = store.experiment(settings.place.experiment)
    with tracked_run(store, experiment.experiment_id, name, records.tags(settings)) as tracked:
        records.log_settings(tracked, config, overrides)
        dataset = shared_data(settings)
        records.log_data(tracked, dataset)
        set_seeds(settings.training.seed)
        model = build_model(settings, dataset)
        history = _train(model, settings, dataset, tracked, on_epoch)
        predictions = _predict(model, dataset)
        records.log_scores(tracked, dataset, history, predictions)
        records.log_predictions(tracked, dataset, predictions)
        records.log_weights(tracked, model, dataset)
        records.log_figures(tracked, dataset, history, predictions)
        parity = verify_run(store.client, tracked.run_id, settings.place.data_dir)
        tracked.log_metrics({"seconds": time.perf_counter() - started})
        tracked.flush()
        write_run_page(store.client, tracked.run_id)
    return parity


def build_model(settings: Settings, dataset: Dataset) -> keras.Model:
    """The untrained Keras model that settings describe, shaped for a data set."""
    classes = len(dataset.classes)
    penalties: dict[str, Any] = {"l1": settings.training.l1, "l2": settings.training.l2}
    match settings.model, dataset.preprocessing:
        case Convolutional() as model, ImagePreprocessing(input_shape=shape):
            return models.convolutional(
                input_shape=shape, classes=classes, **model.model_dump(), **penalties
            )
        case Recurrent() as model, TextPreprocessing() as text:
            return models.recurrent(
                settings.model_name,
                sequence_length=text.sequence_length,
                vocabulary_size=len(text.vocabulary),
                **model.model_dump(exclude={"padding"}),
                classes=classes,
                **penalties,
            )
    raise TypeError(f"model={settings.model_name} cannot read dataset={dataset.name}.")


def _train(
    model: keras.Model,
    settings: Settings,
    dataset: Dataset,
    tracked: TrackedRun,
    on_epoch: Callable[[Epoch], None],
) -> History:
    def log_epoch(epoch: Epoch) -> None:
        tracked.log_metrics(records.epoch_metrics(epoch), step=epoch.number)
        on_epoch(epoch)

    training = settings.training
    options = settings.optimizer.model_dump(exclude={"name"})
    return fit(
        model,
        (dataset.train.inputs, dataset.train.labels),
        (dataset.validation.inputs, dataset.validation.labels),
        optimizer=build_optimizer(settings.optimizer.name, training.learning_rate, **options),
        epochs=training.epochs,
        batch_size=training.batch_size,
        seed=training.seed,
        early_stopping=training.early_stopping,
        augment=_augmentation(settings),
        on_epoch=log_epoch,
    )


def _augmentation(settings: Settings) -> Augment | None:
    if not settings.training.augment:
        return None
    spec = SPECS[settings.dataset.name]
    if spec.kind == "text":
        return augmentation.drop_words
    return augmentation.image_augmentation(spec.flips)


def _predict(model: keras.Model, dataset: Dataset) -> Predictions:
    validation, test = (
        model.predict(split.inputs, batch_size=PREDICTION_BATCH, verbose=0)
        for split in (dataset.validation, dataset.test)
    )
    return Predictions(validation, test)
