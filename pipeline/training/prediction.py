"""Predicts a Keras model's outputs for a whole split."""

import numpy as np

from pipeline.models.keras_backend import keras, tf
from pipeline.training.batches import SortedBatches, stream, untuned

BATCH = 256  # examples per step


def predict(model: keras.Model, inputs: np.ndarray, trim: bool) -> np.ndarray:
    """Return outputs `(N, outputs)` float32, in the order of the inputs.

    Args:
        model: the Keras model.
        inputs: images `(N, H, W, C)` float32, or ids `(N, L)` int32.
        trim: for ids read with a mask, removes padding, which changes nothing but rounding.
    """
    if not trim:  # from an array, Keras would build a slow pipeline: costly for small sets
        slices = tf.data.Dataset.from_tensor_slices(inputs).batch(BATCH)
        return _predict(model, untuned(slices))
    batches = SortedBatches(inputs, np.zeros(len(inputs), np.int64), BATCH)
    predicted = _predict(model, stream(batches))
    in_order = np.empty_like(predicted)
    in_order[batches.order] = predicted
    return in_order


def _predict(model: keras.Model, batches: tf.data.Dataset) -> np.ndarray:
    """Predict one step at a time: Keras would trace each step of a multi-step execution."""
    steps, model.steps_per_execution = model.steps_per_execution, 1
    try:
        return model.predict(batches, verbose=0)
    finally:
        model.steps_per_execution = steps
