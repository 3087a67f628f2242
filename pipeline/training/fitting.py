"""Fits a Keras model reproducibly, reports every epoch, and can resume from any of them."""

import math
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from pipeline.models.keras_backend import keras
from pipeline.tasks import Task, task_named
from pipeline.training.batches import Augment, TrainingBatches, arranged, stream
from pipeline.training.compilation import assign_state
from pipeline.training.history import Epoch, History
from pipeline.training.learning_rate import Rate
from pipeline.training.objective import MULTICLASS, Objective
from pipeline.training.prediction import predict
from pipeline.training.state import Patience, TrainingState


class DivergedError(Exception):
    """The loss became NaN or infinite, so further training is meaningless."""


@dataclass(frozen=True)
class Fitted:
    """The history of a fit, and the fitted model's outputs `(N, outputs)` on validation data."""

    history: History
    validation: np.ndarray


def fit(
    model: keras.Model,
    train: tuple[Any, np.ndarray],
    validation: tuple[Any, np.ndarray],
    *,
    epochs: int,
    batch_size: int,
    seed: int,
    objective: Objective = MULTICLASS,
    callbacks: Sequence[keras.callbacks.Callback] = (),
    early_stopping: int | None = None,
    rate: Rate | None = None,
    class_weight: Mapping[int, float] | None = None,
    augment: Augment | None = None,
    trim: bool = False,
    resume: TrainingState | None = None,
    on_epoch: Callable[[Epoch], None] = lambda epoch: None,
    on_state: Callable[[TrainingState], None] = lambda state: None,
) -> Fitted:
    """Train a compiled model in place.

    Args:
        model: outputs `(N, outputs)`.
        train: inputs `(N, ...)`, or a dict of them by the name of each input; and labels `(N,)` or
            `(N, K)`.
        validation: likewise, not trained on.
        objective: what the model is compiled for.
        callbacks: of the user; they see the losses and metrics of each epoch. Their state is
            unknown, so `on_state` is not called and nothing can be resumed.
        early_stopping: number of epochs without a better validation loss after which to stop and
            restore the best weights; None trains all epochs and keeps the last weights.
        rate: the learning rate of each epoch; None leaves that of the optimizer.
        class_weight: weight of each class in the training loss; None for equal weights.
        trim: batch sentences of similar length without common padding; requires a mask.
        resume: state of an interrupted fit of the same model and arguments; the final weights are
            those of an uninterrupted fit.
        on_epoch: called with each epoch as it ends, including those of `resume`.
        on_state: called after each epoch with the state to resume from.

    Raises:
        DivergedError: when the training or validation loss is not finite.
    """
    inputs, labels = train
    batches = TrainingBatches(arranged(model, inputs), labels, batch_size, seed, augment, trim)
    stopping = _early_stopping(early_stopping, resume)
    meaning = task_named(objective.task)
    validation_watch = _Validation(*validation, trim, objective)
    keep_state = (lambda state: None) if callbacks else on_state
    watch = _EpochWatch(batches, rate, on_epoch, keep_state, stopping, meaning)
    first = 0
    if resume is not None:
        assign_state(model, resume.variables, resume.optimizer)
        watch.replay(resume.epochs)
        first = epochs if stopping and stopping.has_stopped else len(resume.epochs)
    model.fit(
        stream(batches),
        initial_epoch=first,
        epochs=epochs,
        callbacks=[validation_watch, *callbacks, *([stopping] if stopping else []), watch],
        class_weight=dict(class_weight) if class_weight else None,
        shuffle=False,  # the batches are already shuffled
        verbose=0,
    )
    predicted = validation_watch.outputs
    # The weights are those of an earlier epoch, or the average that Keras assigns at the end, or
    # what a callback has made of them.
    if predicted is None or stopping or callbacks or model.optimizer.use_ema:
        predicted = predict(model, validation[0], trim)
    return Fitted(History(tuple(watch.epochs), restored=stopping is not None), predicted)


def _early_stopping(patience: int | None, resume: TrainingState | None) -> "_EarlyStopping | None":
    if patience is None:
        return None
    return _EarlyStopping(patience, resume.patience if resume else None)


class _EarlyStopping(keras.callbacks.EarlyStopping):
    """Keras's early stopping on the validation loss, with a state that can be saved and resumed."""

    def __init__(self, patience: int, earlier: Patience | None):
        super().__init__("val_loss", patience=patience, restore_best_weights=True)
        self.earlier = earlier

    def on_train_begin(self, logs: dict | None = None) -> None:
        super().on_train_begin(logs)
        if self.earlier is not None:
            self.best, self.best_epoch = self.earlier.best, self.earlier.best_epoch
            self.best_weights, self.wait = list(self.earlier.weights), self.earlier.wait

    @property
    def has_stopped(self) -> bool:
        """Whether this rule had already ended the resumed fit."""
        return self.earlier is not None and self.earlier.stopped

    @property
    def standing(self) -> Patience:
        """The state to resume from after an epoch."""
        stopped = bool(self.model.stop_training)
        return Patience(
            float(self.best), self.best_epoch, self.wait, stopped, list(self.best_weights)
        )


class _Validation(keras.callbacks.Callback):
    """Predicts the validation data after each epoch, and logs its loss and the task's measure.

    It replaces `validation_data`, for which Keras would trace and compile another function, and the
    last epoch's predictions would have to be repeated.
    """

    def __init__(self, inputs: Any, labels: np.ndarray, trim: bool, objective: Objective):
        super().__init__()
        self.inputs, self.labels, self.trim = inputs, labels, trim
        self.objective, self.task = objective, task_named(objective.task)
        self.outputs: np.ndarray | None = None

    def on_epoch_end(self, epoch: int, logs: dict[str, float] | None = None) -> None:
        assert logs is not None  # passed on to the following callbacks
        self.outputs = predict(self.model, self.inputs, self.trim)
        logs["val_loss"] = self._loss(self.outputs)
        logs["val_measure"] = self.task.epoch_measure(self.outputs, self.labels)
        if self.objective.metrics:
            self.model.reset_metrics()
            values = self.model.compute_metrics(None, self.labels, self.outputs)
            further = {f"val_{name}": float(value) for name, value in values.items()}
            logs |= {name: value for name, value in further.items() if name not in logs}

    def _loss(self, outputs: np.ndarray) -> float:
        if self.objective.loss is not None:
            return float(self.model.compute_loss(y=self.labels, y_pred=outputs))
        penalty = float(sum(self.model.losses))  # of weights; part of the loss, as in Keras
        return self.task.epoch_loss(outputs, self.labels) + penalty


class _EpochWatch(keras.callbacks.Callback):
    """Starts the batches of each epoch, reports its result, and stops a diverged fit."""

    def __init__(
        self,
        batches: TrainingBatches,
        rate: Rate | None,
        on_epoch: Callable[[Epoch], None],
        on_state: Callable[[TrainingState], None],
        stopping: _EarlyStopping | None,
        task: Task,
    ):
        super().__init__()
        self.batches, self.rate, self.task = batches, rate, task
        self.pass_on, self.on_state, self.stopping = on_epoch, on_state, stopping
        self.epochs: list[Epoch] = []

    def replay(self, epochs: tuple[Epoch, ...]) -> None:
        """Collect and report the epochs of an earlier process."""
        for epoch in epochs:
            self.epochs.append(epoch)
            self.pass_on(epoch)

    def on_epoch_begin(self, epoch: int, logs: dict | None = None) -> None:
        self.batches.start_epoch(epoch)
        if self.rate is not None:
            losses = [earlier.loss_validation for earlier in self.epochs]
            self.model.optimizer.learning_rate = self.rate(epoch, losses)
        self.started = time.perf_counter()

    def on_epoch_end(self, epoch: int, logs: dict | None = None) -> None:
        ended = self._epoch(epoch + 1, logs or {})
        self.epochs.append(ended)
        self.pass_on(ended)
        if not (math.isfinite(ended.loss_train) and math.isfinite(ended.loss_validation)):
            raise DivergedError(
                f"the loss is {ended.loss_train} after epoch {ended.number}; "
                "a smaller learning_rate may help."
            )
        self.on_state(self._state())

    def _epoch(self, number: int, logs: dict[str, float]) -> Epoch:
        return Epoch(
            number=number,
            loss_train=float(logs["loss"]),
            loss_validation=float(logs["val_loss"]),
            measure_train=float(logs[self.task.metric]),
            measure_validation=float(logs["val_measure"]),
            learning_rate=float(self.model.optimizer.learning_rate),
            seconds=time.perf_counter() - self.started,
            measure=self.task.measure,
            further=self._further(logs),
        )

    def _further(self, logs: dict[str, float]) -> dict[str, float]:
        """Return the values of further metrics, `NAME/train` and `NAME/validation`."""
        own = {"loss", self.task.metric}
        names = [name for name in logs if f"val_{name}" in logs and name not in own]
        return {
            f"{name}/{split}": float(logs[prefix + name])
            for name in names
            for split, prefix in (("train", ""), ("validation", "val_"))
        }

    def _state(self) -> TrainingState:
        return TrainingState(
            epochs=tuple(self.epochs),
            variables=[variable.numpy() for variable in self.model.variables],
            optimizer=[variable.numpy() for variable in self.model.optimizer.variables],
            patience=self.stopping.standing if self.stopping else None,
        )
