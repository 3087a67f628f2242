"""Fits a Keras model, reproducibly, and tells of every epoch."""

import math
import time
from collections.abc import Callable

import numpy as np

from pipeline.batches import Augment, SortedBatches, TrainingBatches, stream
from pipeline.keras_backend import keras, tf
from pipeline.training_history import Epoch, History


class DivergedError(Exception):
    """The loss became NaN or infinite, so nothing that follows would mean anything."""


def set_seeds(seed: int) -> None:
    """Make what follows bit-identical on the same machine: Python, NumPy, TensorFlow, its ops.

    Also frees the graphs of earlier models, which a sweep in one process would pile up.
    """
    keras.utils.clear_session(free_memory=True)
    tf.config.experimental.enable_op_determinism()
    keras.utils.set_random_seed(seed)


def fit(
    model: keras.Model,
    train: tuple[np.ndarray, np.ndarray],
    validation: tuple[np.ndarray, np.ndarray],
    *,
    optimizer: keras.optimizers.Optimizer,
    epochs: int,
    batch_size: int,
    seed: int,
    early_stopping: int | None = None,
    augment: Augment | None = None,
    trim: bool = False,
    on_epoch: Callable[[Epoch], None] = lambda epoch: None,
) -> History:
    """Train `model` in place on integer labels with cross-entropy.

    Args:
        early_stopping: epochs without a better validation loss after which to stop and restore the
            best weights; None trains all epochs and keeps the last weights.
        trim: batch sentences of like length without the padding they share; needs a mask.
        on_epoch: called after each epoch, as it ends.

    Raises:
        DivergedError: when the training or validation loss is not finite.
    """
    model.compile(optimizer, loss="sparse_categorical_crossentropy", metrics=["accuracy"])
    _create_state(model)
    batches = TrainingBatches(*train, batch_size, seed, augment, trim)
    watch = _EpochWatch(batches, on_epoch)
    callbacks: list[keras.callbacks.Callback] = [watch]
    if early_stopping is not None:
        callbacks.append(
            keras.callbacks.EarlyStopping(
                "val_loss", patience=early_stopping, restore_best_weights=True
            )
        )
    model.fit(
        stream(batches),
        validation_data=stream(SortedBatches(*validation, batch_size)) if trim else validation,
        validation_batch_size=batch_size,
        epochs=epochs,
        callbacks=callbacks,
        shuffle=False,  # the batches shuffle themselves
        verbose=0,
    )
    return History(tuple(watch.epochs), restored=early_stopping is not None)


def _create_state(model: keras.Model) -> None:
    """Create the variables of optimizer, loss and metrics of a compiled model.

    Left to itself, Keras does so in the first step, and TensorFlow then traces that step twice.
    """
    labels = np.zeros(1, np.int64)
    probabilities = np.zeros((1, model.output_shape[-1]), np.float32)
    model.optimizer.build(model.trainable_variables)
    model.compute_loss(y=labels, y_pred=probabilities)
    model.compute_metrics(None, labels, probabilities)
    model.reset_metrics()


class _EpochWatch(keras.callbacks.Callback):
    """Starts the batches of each epoch, passes epochs on, and stops a fit that has diverged."""

    def __init__(self, batches: TrainingBatches, on_epoch: Callable[[Epoch], None]):
        super().__init__()
        self.batches, self.on_epoch = batches, on_epoch
        self.epochs: list[Epoch] = []

    def on_epoch_begin(self, epoch: int, logs: dict | None = None) -> None:
        self.batches.start_epoch(epoch)
        self.started = time.perf_counter()

    def on_epoch_end(self, epoch: int, logs: dict | None = None) -> None:
        logs = logs or {}
        ended = Epoch(
            number=epoch + 1,
            loss_train=float(logs["loss"]),
            loss_validation=float(logs["val_loss"]),
            accuracy_train=float(logs["accuracy"]),
            accuracy_validation=float(logs["val_accuracy"]),
            learning_rate=float(self.model.optimizer.learning_rate),
            seconds=time.perf_counter() - self.started,
        )
        self.epochs.append(ended)
        self.on_epoch(ended)
        if not (math.isfinite(ended.loss_train) and math.isfinite(ended.loss_validation)):
            raise DivergedError(
                f"the loss is {ended.loss_train} after epoch {ended.number}; "
                "a smaller learning_rate may help."
            )
