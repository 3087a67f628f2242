"""Batches for training and evaluation: shuffled, augmented, and trimmed where that is exact.

The order of the examples and every augmentation depend on the seed and the epoch alone, so an epoch
can be repeated, or resumed after an interruption, exactly.
"""

from collections.abc import Callable, Iterator, Mapping
from typing import Any

import numpy as np

from pipeline.models.keras_backend import keras, tf
from pipeline.models.memory import keep_freed_memory
from pipeline.training.bucketing import bucketed, cut, lengths, trimmed

Augment = Callable[[np.ndarray, np.random.Generator], np.ndarray]
Batch = tuple[Any, np.ndarray]  # inputs, or a dict or tuple of them for a model with several


class TrainingBatches:
    """The batches of successive epochs.

    Args:
        inputs: images `(N, H, W, C)` float32, ids `(N, L)` int32, or other arrays `(N, ...)`; for
            a model with several inputs, a dict or tuple of them.
        labels: `(N,)` int64 or float32, or `(N, K)`.
        batch_size: examples per batch; one batch of an epoch may be smaller.
        seed: decides the order and the augmentation.
        augment: changes a batch of inputs, given a generator; None leaves them unchanged.
        trim: for ids read with a mask, batches sentences of similar length and removes the padding
            that none of them needs.
    """

    def __init__(
        self,
        inputs: Any,
        labels: np.ndarray,
        batch_size: int,
        seed: int,
        augment: Augment | None = None,
        trim: bool = False,
    ):
        self.inputs, self.labels = inputs, labels
        self.batch_size, self.seed, self.augment = batch_size, seed, augment
        self.lengths = lengths(inputs) if trim else None
        self.start_epoch(0)

    def start_epoch(self, epoch: int) -> None:
        """Draw the order of `epoch` (counted from 0)."""
        self.epoch = epoch
        rng = np.random.default_rng([self.seed, epoch])
        order = rng.permutation(len(self.labels))
        if self.lengths is None:
            self.rows = cut(order, self.batch_size)
        else:
            batches = bucketed(order, self.lengths, self.batch_size)
            self.rows = [batches[place] for place in rng.permutation(len(batches))]

    def __len__(self) -> int:
        return len(self.rows)

    def __getitem__(self, index: int) -> Batch:
        rows = self.rows[index]
        inputs = rows_of_each(self.inputs, rows)
        if self.augment is not None:
            inputs = self.augment(inputs, np.random.default_rng([self.seed, self.epoch, index]))
        return inputs if self.lengths is None else trimmed(inputs), self.labels[rows]


class SortedBatches:
    """Fixed batches of sentences sorted by length, trimmed.

    Args:
        inputs: ids `(N, L)` int32, to be read with a mask.
        labels: `(N,)` int64.
        batch_size: examples per batch; the last batch may be smaller.

    Attributes:
        order: the row of `inputs` of each example, in the order of the batches.
    """

    def __init__(self, inputs: np.ndarray, labels: np.ndarray, batch_size: int):
        self.inputs, self.labels = inputs, labels
        self.order = np.argsort(lengths(inputs), kind="stable")
        self.rows = cut(self.order, batch_size)

    def __len__(self) -> int:
        return len(self.rows)

    def __getitem__(self, index: int) -> Batch:
        rows = self.rows[index]
        return trimmed(self.inputs[rows]), self.labels[rows]


def stream(batches: TrainingBatches | SortedBatches) -> tf.data.Dataset:
    """Return batches as a `tf.data.Dataset` with declared shapes.

    Keras would take the length of the first batches for all. With an undefined length, one graph
    serves every length.
    """

    def once() -> Iterator[Batch]:
        keep_freed_memory()  # TensorFlow has just set the opposite, for Python 3.11
        return (batches[index] for index in range(len(batches)))

    inputs, labels = batches[0]
    signature = (
        tf.nest.map_structure(batch_signature, inputs),
        tf.TensorSpec((None, *labels.shape[1:]), labels.dtype),
    )
    length = tf.data.experimental.assert_cardinality(len(batches))
    dataset = tf.data.Dataset.from_generator(once, output_signature=signature).apply(length)
    return untuned(dataset.prefetch(2))


def batch_signature(inputs: np.ndarray) -> tf.TensorSpec:
    """Return the shape of any batch: rows of ids may be of another length."""
    ids = inputs.ndim == 2 and inputs.dtype == np.int32
    return tf.TensorSpec((None, None) if ids else (None, *inputs.shape[1:]), inputs.dtype)


def rows_of_each(inputs: Any, rows: Any) -> Any:
    """Return rows of one array, or of each array in a dict or tuple."""
    if isinstance(inputs, np.ndarray):
        return inputs[rows]
    return tf.nest.map_structure(lambda array: array[rows], inputs)


def arranged(model: keras.Model, inputs: Any) -> Any:
    """Return inputs in the structure that a model takes: a dict as a tuple for a list of inputs.

    Args:
        model: the Keras model.
        inputs: one array; a dict of arrays by the name of each input; or a list of arrays.
    """
    if isinstance(inputs, Mapping) and isinstance(model.input, list | tuple):
        return tuple(inputs[tensor.name] for tensor in model.input)
    return tuple(inputs) if isinstance(inputs, list) else inputs


def untuned(dataset: tf.data.Dataset) -> tf.data.Dataset:
    """Return the data set without TensorFlow's autotuning.

    There is nothing to tune here, and ending the tuning thread can take up to a minute: if it is
    asked to end just before it sleeps, it first sleeps its full interval (seen in TensorFlow 2.21).
    """
    options = tf.data.Options()
    options.autotune.enabled = False
    return dataset.with_options(options)
