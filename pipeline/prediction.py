"""A Keras model's probabilities for a whole split."""

import numpy as np

from pipeline.batches import SortedBatches, stream
from pipeline.keras_backend import keras


def predict(model: keras.Model, inputs: np.ndarray, batch_size: int, trim: bool) -> np.ndarray:
    """Probabilities `(N, C)` float32, in the order of the inputs.

    Args:
        model: predicts.
        inputs: images `(N, H, W, C)` float32, or ids `(N, L)` int32.
        batch_size: examples predicted at once.
        trim: for ids read with a mask: leave out padding, which changes nothing but rounding.
    """
    if not trim:
        return model.predict(inputs, batch_size=batch_size, verbose=0)
    batches = SortedBatches(inputs, np.zeros(len(inputs), np.int64), batch_size)
    predicted = model.predict(stream(batches), verbose=0)
    in_order = np.empty_like(predicted)
    in_order[batches.order] = predicted
    return in_order
