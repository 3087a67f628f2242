"""A compiled model: a new one, or the previous one with new weights and optimizer state.

TensorFlow takes seconds to trace and compile a training step, longer than a small model trains. The
result depends on everything except the numbers: a job that differs from the previous one only in
its seed or learning rate reuses it.
"""

import math
import random
from collections.abc import Callable, Hashable, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from pipeline.models.keras_backend import keras, tf
from pipeline.tasks import task_named
from pipeline.training.objective import MULTICLASS, Objective

_STEPS_AT_ONCE = 10  # Keras spends 2 ms in Python between two executions
_START_FROM_WEIGHTS = ("ScheduleFreeAdamW",)  # others start alike; a build takes 3 ms per variable
_MANY_STEPS = 100  # a shorter epoch does not save the 0.5 s that a larger graph takes to compile


def set_seeds(seed: int) -> None:
    """Seed Python, NumPy and TensorFlow, for bit-identical results on the same machine."""
    tf.config.experimental.enable_op_determinism()
    keras.utils.set_random_seed(seed)


def _seed_weights(seed: int) -> None:
    """Set the seeds that a built model depends on.

    The seed of TensorFlow's own random operations, which Keras's layers do not use, would cause
    every compiled function to be traced again.
    """
    random.seed(seed)
    np.random.seed(seed)


def steps_at_once(examples: int, batch_size: int) -> int:
    """Return how many steps to execute at once (Keras's `steps_per_execution`)."""
    return _STEPS_AT_ONCE if math.ceil(examples / batch_size) >= _MANY_STEPS else 1


def compile_model(
    model: keras.Model,
    optimizer: keras.optimizers.Optimizer,
    at_once: int = 1,
    objective: Objective = MULTICLASS,
) -> None:
    """Compile a model for its objective, and create all variables for training.

    Args:
        model: outputs `(N, outputs)`.
        optimizer: a new optimizer.
        at_once: number of steps to execute at once.
        objective: the loss and the metrics.
    """
    model.compile(
        optimizer,
        loss=objective.keras_loss,
        metrics=objective.keras_metrics,
        steps_per_execution=at_once,
    )
    _create_state(model, task_named(objective.task).blank_labels(model.output_shape[-1]))


def _create_state(model: keras.Model, labels: np.ndarray) -> None:
    """Create the variables of optimizer, loss and metrics.

    By default, Keras creates them in the first step, and TensorFlow then traces that step twice.
    """
    outputs = np.zeros((1, model.output_shape[-1]), np.float32)
    model.optimizer.build(model.trainable_variables)
    model.compute_loss(y=labels, y_pred=outputs)
    model.compute_metrics(None, labels, outputs)
    model.reset_metrics()


def assign_state(
    model: keras.Model, variables: Sequence[Any], optimizer: Sequence[np.ndarray]
) -> None:
    """Assign the values of all variables of a model and its optimizer to a compiled model."""
    for variable, value in zip(model.variables, variables, strict=True):
        variable.assign(value)
    for variable, value in zip(model.optimizer.variables, optimizer, strict=True):
        variable.assign(value)


@dataclass(frozen=True)
class _Compiled:
    """A compiled model, the key under which it is reusable, and the optimizer's initial state."""

    likeness: Hashable
    model: keras.Model
    optimizer: list[np.ndarray]


class KeptModel:
    """Keeps the last trained model for reuse by a job with the same graph."""

    def __init__(self) -> None:
        self._kept: _Compiled | None = None

    def compiled(
        self,
        likeness: Hashable,
        build: Callable[[], keras.Model],
        optimizer: keras.optimizers.Optimizer,
        *,
        at_once: int,
        seed: int,
        objective: Objective = MULTICLASS,
    ) -> keras.Model:
        """Return a compiled model whose weights equal those of a new one, bit for bit.

        Args:
            likeness: a key that distinguishes models and optimizers that are not interchangeable;
                the learning rate may differ.
            build: builds the model.
            optimizer: a new optimizer.
            at_once: number of steps to execute at once.
            seed: seed of the weights and of all randomness in training.
            objective: the loss and the metrics.
        """
        key = (likeness, at_once, objective)
        if self._kept is None or self._kept.likeness != key:
            self._kept = None
            keras.utils.clear_session(free_memory=True)  # otherwise a sweep would accumulate graphs
            set_seeds(seed)
            model = build()
            compile_model(model, optimizer, at_once, objective)
            initial = [variable.numpy() for variable in optimizer.variables]
            self._kept = _Compiled(key, model, initial)
        else:
            _seed_weights(seed)
            _renew(self._kept, build(), optimizer)
        return self._kept.model


def _renew(kept: _Compiled, fresh: keras.Model, optimizer: keras.optimizers.Optimizer) -> None:
    initial = kept.optimizer
    if type(optimizer).__name__ in _START_FROM_WEIGHTS:
        optimizer.build(fresh.trainable_variables)
        initial = [variable.numpy() for variable in optimizer.variables]
    assign_state(kept.model, fresh.variables, initial)
    kept.model.optimizer.learning_rate = float(optimizer.learning_rate)
