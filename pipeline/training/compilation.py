"""A model ready to be trained: a new one, or the one before with other numbers in it.

TensorFlow takes seconds to trace and compile a training step, longer than a small model trains.
What it makes depends on everything but the numbers: a job that differs from the one before in
nothing but its seed or its learning rate finds it made.
"""

import math
import random
from collections.abc import Callable, Hashable, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from pipeline.models.keras_backend import keras, tf

_STEPS_AT_ONCE = 10  # between two of them, Keras goes through 2 ms of Python
_MANY_STEPS = 100  # an epoch of fewer does not earn the half second of a larger graph


def set_seeds(seed: int) -> None:
    """Make what follows bit-identical on the same machine: Python, NumPy, TensorFlow, its ops."""
    tf.config.experimental.enable_op_determinism()
    keras.utils.set_random_seed(seed)


def _seed_weights(seed: int) -> None:
    """The part of `set_seeds` that a built model depends on.

    The seed of TensorFlow's own random operations, which Keras's layers do not use, would make it
    prepare every compiled function anew.
    """
    random.seed(seed)
    np.random.seed(seed)


def steps_at_once(examples: int, batch_size: int) -> int:
    """How many steps of an epoch to execute at once (Keras's `steps_per_execution`)."""
    return _STEPS_AT_ONCE if math.ceil(examples / batch_size) >= _MANY_STEPS else 1


def compile_model(
    model: keras.Model, optimizer: keras.optimizers.Optimizer, at_once: int = 1
) -> None:
    """Compile a classifier for training on integer labels, with every variable that this takes.

    Args:
        model: gives probabilities `(N, C)`.
        optimizer: a fresh one.
        at_once: steps to execute at once.
    """
    model.compile(
        optimizer,
        loss="sparse_categorical_crossentropy",
        metrics=["accuracy"],
        steps_per_execution=at_once,
    )
    _create_state(model)


def _create_state(model: keras.Model) -> None:
    """Create the variables of optimizer, loss and metrics.

    Left to itself, Keras does so in the first step, and TensorFlow then traces that step twice.
    """
    labels = np.zeros(1, np.int64)
    probabilities = np.zeros((1, model.output_shape[-1]), np.float32)
    model.optimizer.build(model.trainable_variables)
    model.compute_loss(y=labels, y_pred=probabilities)
    model.compute_metrics(None, labels, probabilities)
    model.reset_metrics()


def assign_state(
    model: keras.Model, variables: Sequence[Any], optimizer: Sequence[np.ndarray]
) -> None:
    """Give a compiled model the numbers of another: all its variables' and its optimizer's."""
    for variable, value in zip(model.variables, variables, strict=True):
        variable.assign(value)
    for variable, value in zip(model.optimizer.variables, optimizer, strict=True):
        variable.assign(value)


@dataclass(frozen=True)
class _Compiled:
    """A compiled model, what has to be equal to use it again, and its optimizer's first state."""

    likeness: Hashable
    model: keras.Model
    optimizer: list[np.ndarray]


class KeptModel:
    """Keeps the model that was trained last for one that is alike."""

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
    ) -> keras.Model:
        """A compiled model with the weights that a new one has, bit for bit.

        Args:
            likeness: tells apart models and optimizers that may not be taken for each other; the
                learning rate may be another.
            build: builds the model.
            optimizer: a fresh one.
            at_once: steps to execute at once.
            seed: of the weights, and of all that is random in the training.
        """
        if self._kept is None or self._kept.likeness != (likeness, at_once):
            self._kept = None
            keras.utils.clear_session(free_memory=True)  # else a sweep would pile up graphs
            set_seeds(seed)
            self._kept = _compile((likeness, at_once), build(), optimizer, at_once)
        else:
            _seed_weights(seed)
            _renew(self._kept, build(), optimizer)
        return self._kept.model


def _compile(
    likeness: Hashable,
    model: keras.Model,
    optimizer: keras.optimizers.Optimizer,
    at_once: int,
) -> _Compiled:
    compile_model(model, optimizer, at_once)
    return _Compiled(likeness, model, [variable.numpy() for variable in optimizer.variables])


def _renew(kept: _Compiled, fresh: keras.Model, optimizer: keras.optimizers.Optimizer) -> None:
    assign_state(kept.model, fresh.variables, kept.optimizer)
    kept.model.optimizer.learning_rate = float(optimizer.learning_rate)
