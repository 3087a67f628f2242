"""Small changes to training examples that preserve the label."""

from functools import partial

import numpy as np
from numpy.lib.stride_tricks import sliding_window_view

MAX_SHIFT = 1 / 8  # fraction of an image's side
WORD_DROPOUT = 0.1  # fraction of a text's words
UNKNOWN_ID = 1


def image_augmentation(flips: bool) -> partial[np.ndarray]:
    """Return an augmentation with random shifts and, if they keep the label, horizontal flips."""
    return partial(augment_images, flips=flips)


def augment_images(images: np.ndarray, rng: np.random.Generator, flips: bool) -> np.ndarray:
    """Shift each image by up to an eighth of its side, filling with zeros; flip half of them.

    Args:
        images: `(N, H, W, C)` float32.
        rng: draws shifts and flips.
        flips: whether to flip.
    """
    count, height, width, _ = images.shape
    tall, wide = int(height * MAX_SHIFT), int(width * MAX_SHIFT)
    padded = np.pad(images, ((0, 0), (tall, tall), (wide, wide), (0, 0)))
    down = rng.integers(0, 2 * tall + 1, size=count)
    right = rng.integers(0, 2 * wide + 1, size=count)
    windows = sliding_window_view(padded, (height, width), axis=(1, 2))
    shifted = np.moveaxis(windows[np.arange(count), down, right], 1, -1)
    if flips:
        mirrored = rng.random(count) < 0.5
        shifted[mirrored] = shifted[mirrored, :, ::-1]
    return shifted


def drop_words(ids: np.ndarray, rng: np.random.Generator) -> np.ndarray:
    """Replace a tenth of the words with the unknown id 1; padding (id 0) stays.

    Args:
        ids: `(N, L)` int32.
        rng: draws the words.
    """
    dropped = (rng.random(ids.shape) < WORD_DROPOUT) & (ids != 0)
    return np.where(dropped, UNKNOWN_ID, ids).astype(ids.dtype)
