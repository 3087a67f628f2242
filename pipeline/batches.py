"""Shuffled, optionally augmented training batches.

The order of the examples and every augmentation are a function of the seed and the epoch alone, so
an epoch can be repeated, or taken up after an interruption, exactly.
"""

import math
from collections.abc import Callable

import numpy as np

from pipeline.keras_backend import keras

Augment = Callable[[np.ndarray, np.random.Generator], np.ndarray]


class TrainingBatches(keras.utils.PyDataset):
    """Batches of one epoch after another.

    Args:
        inputs: images `(N, H, W, C)` float32, or ids `(N, L)` int32.
        labels: `(N,)` int64.
        batch_size: examples a batch; the last one of an epoch may be smaller.
        seed: decides the order and the augmentation.
        augment: changes a batch of inputs, given a generator; None leaves them as they are.
    """

    def __init__(
        self,
        inputs: np.ndarray,
        labels: np.ndarray,
        batch_size: int,
        seed: int,
        augment: Augment | None = None,
    ):
        super().__init__()
        self.inputs, self.labels = inputs, labels
        self.batch_size, self.seed, self.augment = batch_size, seed, augment
        self.start_epoch(0)

    def start_epoch(self, epoch: int) -> None:
        """Draw the order of `epoch` (counted from 0)."""
        self.epoch = epoch
        self.order = np.random.default_rng([self.seed, epoch]).permutation(len(self.labels))

    def on_epoch_end(self) -> None:
        """Keras calls this after each epoch: go on to the next."""
        self.start_epoch(self.epoch + 1)

    def __len__(self) -> int:
        return math.ceil(len(self.labels) / self.batch_size)

    def __getitem__(self, index: int) -> tuple[np.ndarray, np.ndarray]:
        rows = self.order[index * self.batch_size : (index + 1) * self.batch_size]
        inputs = self.inputs[rows]
        if self.augment is not None:
            inputs = self.augment(inputs, np.random.default_rng([self.seed, self.epoch, index]))
        return inputs, self.labels[rows]
