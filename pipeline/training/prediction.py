"""Predicts a Keras model's outputs for a whole split."""

import math
from collections.abc import Iterator
from typing import Any

import numpy as np

from pipeline.data import large_arrays
from pipeline.models.keras_backend import keras, tf
from pipeline.training.batches import (
    SortedBatches,
    arranged,
    batch_signature,
    rows_of_each,
    stream,
    untuned,
)

BATCH = 256  # examples per step


def predict(model: keras.Model, inputs: Any, trim: bool) -> np.ndarray:
    """Return outputs `(N, outputs)` float32, in the order of the inputs.

    Args:
        model: the Keras model.
        inputs: images `(N, H, W, C)` float32, ids `(N, L)` int32, or other arrays `(N, ...)`; for
            a model with several inputs, a dict or list of them.
        trim: for ids read with a mask, removes padding, which changes nothing but rounding.
    """
    if not trim:
        return _predict(model, _in_order(arranged(model, inputs)))
    batches = SortedBatches(inputs, np.zeros(len(inputs), np.int64), BATCH)
    predicted = _predict(model, stream(batches))
    in_order = np.empty_like(predicted)
    in_order[batches.order] = predicted
    return in_order


def _in_order(inputs: Any) -> tf.data.Dataset:
    """Return batches of inputs, each as a tuple of one, which Keras does not take for labels."""
    arrays = tf.nest.flatten(inputs)
    if sum(array.nbytes for array in arrays) <= large_arrays.LARGE:
        # From an array, Keras would build a slow pipeline: costly for small sets.
        return untuned(tf.data.Dataset.from_tensor_slices((inputs,)).batch(BATCH))

    def once() -> Iterator[Any]:  # without a copy of the whole in TensorFlow's memory
        for first in range(0, len(arrays[0]), BATCH):
            yield (rows_of_each(inputs, slice(first, first + BATCH)),)

    signature = (tf.nest.map_structure(batch_signature, inputs),)
    length = tf.data.experimental.assert_cardinality(math.ceil(len(arrays[0]) / BATCH))
    batches = tf.data.Dataset.from_generator(once, output_signature=signature).apply(length)
    return untuned(batches.prefetch(2))


def _predict(model: keras.Model, batches: tf.data.Dataset) -> np.ndarray:
    """Predict one step at a time: Keras would trace each step of a multi-step execution."""
    steps, model.steps_per_execution = model.steps_per_execution, 1
    try:
        return model.predict(batches, verbose=0)
    finally:
        model.steps_per_execution = steps
