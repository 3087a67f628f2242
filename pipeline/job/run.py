"""One run, start to finish: data, model, training, evaluation, tracking, parity."""

import time
from collections.abc import Mapping, Sequence
from functools import partial
from pathlib import Path
from typing import Any

from pipeline.data import Dataset
from pipeline.data.data_spec import DataSpec
from pipeline.data.sharing import shared_data
from pipeline.data.user.location import found_again
from pipeline.job import records
from pipeline.job.brought import brought, initial_weights
from pipeline.job.identity import identity
from pipeline.job.interruption import interruptible
from pipeline.job.records import Predictions
from pipeline.job.run_log import RunLog, run_log
from pipeline.job.watch import Watch
from pipeline.models.build import build_model, data_spec, suited
from pipeline.models.keras_backend import keras, use_threads
from pipeline.reports.run.run_page import write_run_page
from pipeline.settings import Settings, flat_parameters
from pipeline.tasks import task_named
from pipeline.tracking import names
from pipeline.tracking.attempts import Standing, standings
from pipeline.tracking.checkpoints import Checkpoints
from pipeline.tracking.claims import claim
from pipeline.tracking.membership import join_sweep
from pipeline.tracking.store import Store
from pipeline.tracking.tracked_run import TrackedRun, tracked_run
from pipeline.training import augmentation
from pipeline.training.batches import Augment
from pipeline.training.class_weights import class_weights
from pipeline.training.compilation import KeptModel, steps_at_once
from pipeline.training.fitting import Fitted, fit
from pipeline.training.history import Epoch
from pipeline.training.initial_weights import load_initial_weights
from pipeline.training.learning_rate import scheduled_rate
from pipeline.training.objective import Objective
from pipeline.training.optimizers import build_optimizer
from pipeline.training.own_callbacks import own_callbacks
from pipeline.training.prediction import predict
from pipeline.training.state import TrainingState, TrainingStateError
from pipeline.verification.check import Parity, skip_check, verify_run

# A finished run is never trained again: its metrics would mix two sets of weights. The job gets a
# new run instead.
_RESUMED = ("failed", "interrupted", "pruned", "running")
_kept_model = KeptModel()  # kept by this process from job to job


class OtherDataError(Exception):
    """The data on this machine differ from those that the sweep was planned with."""


def run(
    settings: Settings,
    config: Mapping[str, Any],
    overrides: Sequence[str],
    name: str,
    keys: Sequence[str],
    store: Store,
    *,
    watch: Watch,
    log: Path | None = None,
) -> str:
    """Train, log and check one model, or reuse an earlier run of the same job.

    Args:
        settings: the checked settings.
        config: the configuration that the settings were read from, stored with the run.
        overrides: the settings that were set by hand.
        name: the run's name.
        keys: the settings that the run is named by.
        store: where the run is tracked.
        watch: receives each epoch as it ends.
        log: the file that receives this process's output.

    Returns:
        The parity tag, which says how the check ended.

    Raises:
        Exception: any error, after the run was marked FAILED or KILLED.
    """
    if settings.sweep.threads is not None:
        use_threads(settings.sweep.threads)
    planned = settings.sweep.identity is not None  # and is compared with this data's identity
    dataset = shared_data(**(found_again(settings.data) if planned else settings.data))
    dataset = suited(settings, dataset)
    own = _identity(settings, config, dataset)
    with claim(store, own, watch.waits) as store:
        place = settings.place.experiment
        earlier = standings(store, place, [own], settings.sweep.id or "")[own]
        if earlier.state == "done" and _counts(earlier, settings):
            return _reuse(store, earlier, settings, keys)
        taken_up = earlier.run_id if earlier.state in _RESUMED else None
        experiment = store.experiment(place)
        tags = records.tags(settings, dataset, own, keys)
        with (
            run_log(log, settings.training.epochs) as lines,
            tracked_run(
                store, experiment.experiment_id, name, tags, resume=taken_up, log=lines.file
            ) as tracked,
            lines.ending(),
            interruptible(),
        ):
            watch.starts(tracked.run_id)
            lines.starts(tracked.run_id, name, settings, dataset, overrides)
            records.log_settings(tracked, config, overrides)
            records.log_code(tracked, settings)
            return _complete(settings, dataset, store, tracked, watch, lines).tag


def _identity(settings: Settings, config: Mapping[str, Any], dataset: Dataset) -> str:
    own = identity(flat_parameters(config), dataset.fingerprints, brought(settings))
    if settings.sweep.identity not in (None, own):
        raise OtherDataError(
            f"dataset={dataset.name} in {settings.place.data_dir}, or the code, is not the same on "
            "this machine as where the sweep was planned."
        )
    return own


def _counts(earlier: Standing, settings: Settings) -> bool:
    """Return whether a finished run can be reused; a rerun accepts only runs newer than itself."""
    started = settings.sweep.started or 0.0
    return not settings.running.rerun or earlier.ended >= started * 1000


def _reuse(store: Store, done: Standing, settings: Settings, keys: Sequence[str]) -> str:
    assert done.run_id is not None
    if settings.sweep.id is not None:
        join_sweep(store, done.run_id, settings.sweep.id, keys)
    return str(store.client.get_run(done.run_id).data.tags[names.PARITY])


def _complete(
    settings: Settings,
    dataset: Dataset,
    store: Store,
    tracked: TrackedRun,
    watch: Watch,
    lines: RunLog,
) -> Parity:
    started = time.perf_counter()
    checkpoints = Checkpoints(store.client, tracked.run_id, local=store.folder is not None)
    resume = None if settings.training.callbacks else _latest_state(checkpoints)
    lines.resumes(resume)
    records.log_data(tracked, dataset)
    with initial_weights(settings) as weights:
        model = compiled_model(settings, dataset, weights)
    fitted = _train(model, settings, dataset, tracked, watch, lines, checkpoints, resume)
    outputs = partial(predict, model, trim=_trims(settings))
    predictions = Predictions(fitted.validation, outputs(dataset.test.inputs))
    metrics = records.log_scores(tracked, dataset, fitted.history, predictions)
    lines.scores(metrics, fitted.history, task_named(dataset.task))
    records.log_predictions(tracked, dataset, predictions)
    records.log_weights(tracked, model, dataset, outputs)
    records.log_figures(tracked, dataset, fitted.history, predictions)
    off = settings.training.parity == "off"
    parity = skip_check(tracked) if off else verify_run(tracked, settings.place.data_dir)
    lines.parity(parity)
    earlier = sum(epoch.seconds for epoch in resume.epochs) if resume else 0.0
    tracked.log_metrics({names.SECONDS: earlier + time.perf_counter() - started})
    tracked.flush()
    write_run_page(tracked)
    checkpoints.clear()
    return parity


def _latest_state(checkpoints: Checkpoints) -> TrainingState | None:
    for packed in checkpoints.newest_first():
        try:
            return TrainingState.from_bytes(packed)
        except TrainingStateError:
            continue
    return None


def compiled_model(
    settings: Settings, dataset: Dataset, weights: Path | None = None
) -> keras.Model:
    """Return the compiled Keras model that the settings describe.

    The previous model is reused if only the seed or settings of the fit differ.

    Raises:
        ModelFunctionError: see `build_model`.
        UnsupportedModelError: see `build_model`.
    """
    training, optimizer = settings.training, settings.optimizer
    own, options = settings.model.model_dump(), _optimizer_options(settings)
    data = data_spec(dataset)
    return _kept_model.compiled(
        (settings.model_name, repr(own), optimizer.name, repr(options), data),
        partial(_initial_model, settings, data, weights),
        build_optimizer(optimizer.name, training.learning_rate, **options),
        at_once=steps_at_once(len(dataset.train.labels), training.batch_size),
        seed=training.seed,
        objective=_objective(settings, dataset),
    )


def _initial_model(settings: Settings, data: DataSpec, weights: Path | None) -> keras.Model:
    """Build a model, with the weights of a file instead of drawn ones if there is one."""
    provable = settings.training.parity == "required"
    own = settings.model.model_dump()
    model = build_model(settings.model_name, data, own, provable=provable)
    if weights is not None:
        load_initial_weights(model, weights)
    return model


def _objective(settings: Settings, dataset: Dataset) -> Objective:
    return Objective(dataset.task, settings.training.loss, settings.training.metrics)


def _optimizer_options(settings: Settings) -> dict[str, Any]:
    """Return the arguments of the optimizer that are set; Keras has defaults for the others."""
    options = settings.optimizer.model_dump(exclude={"name"}, exclude_unset=True)
    if settings.training.clipnorm is not None:
        options["clipnorm"] = settings.training.clipnorm
    return options


def _train(
    model: keras.Model,
    settings: Settings,
    dataset: Dataset,
    tracked: TrackedRun,
    watch: Watch,
    lines: RunLog,
    checkpoints: Checkpoints,
    resume: TrainingState | None,
) -> Fitted:
    def log_epoch(epoch: Epoch) -> None:
        tracked.log_metrics(records.epoch_metrics(epoch), step=epoch.number)
        lines.epoch(epoch)
        watch.epoch(epoch)

    training = settings.training
    return fit(
        model,
        (dataset.train.inputs, dataset.train.labels),
        (dataset.validation.inputs, dataset.validation.labels),
        epochs=training.epochs,
        batch_size=training.batch_size,
        seed=training.seed,
        objective=_objective(settings, dataset),
        callbacks=own_callbacks(training.callbacks),
        early_stopping=training.early_stopping,
        rate=scheduled_rate(settings.schedule, training.learning_rate, training.epochs),
        class_weight=class_weights(training.class_weight, dataset.train.labels, dataset.classes),
        augment=_augmentation(dataset) if training.augment else None,
        trim=_trims(settings),
        resume=resume,
        on_epoch=log_epoch,
        on_state=lambda state: checkpoints.save(len(state.epochs), state.to_bytes()),
    )


def _augmentation(dataset: Dataset) -> Augment:
    if dataset.kind == "text":
        return augmentation.drop_words
    return augmentation.image_augmentation(dataset.flips)


def _trims(settings: Settings) -> bool:
    """Return whether padding may be trimmed: only where a mask makes it irrelevant."""
    return settings.texts.bucket == "auto" and getattr(settings.model, "mask", False) is True
