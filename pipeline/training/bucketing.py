"""Batches of sentences of similar length, without the padding that none of them needs.

With a mask, a recurrent layer skips padding at either end of a sentence without changing its state,
so columns that are padding in a whole batch can be removed. On NusaX, whose sentences have 23 words
on average and 77 at most, these are two thirds of the steps. Without a mask, padding is read as
words and has to stay.
"""

import numpy as np

WINDOW = 8  # batches whose examples are sorted together; more trims more and mixes less


def lengths(ids: np.ndarray) -> np.ndarray:
    """Return the number of steps from the first to the last word of each row; 0 without words.

    Args:
        ids: `(N, L)` integers; 0 is padding, on either side or between words.

    Returns:
        `(N,)` integers.
    """
    words = ids != 0
    leading, trailing = words.argmax(axis=1), words[:, ::-1].argmax(axis=1)
    return np.where(words.any(axis=1), ids.shape[1] - leading - trailing, 0)


def trimmed(ids: np.ndarray) -> np.ndarray:
    """Remove the columns before the first and after the last word of all rows.

    Args:
        ids: `(N, L)` integers; 0 is padding.

    Returns:
        `(N, M)`, a view; M is at least 1, because a layer needs at least one step.
    """
    used = np.flatnonzero((ids != 0).any(axis=0))
    return ids[:, used[0] : used[-1] + 1] if len(used) else ids[:, :1]


def bucketed(order: np.ndarray, length: np.ndarray, batch_size: int) -> list[np.ndarray]:
    """Split an order into batches of similar length, within windows that are sorted separately.

    Args:
        order: `(N,)` indices of examples, shuffled.
        length: `(N,)` steps of each example.
        batch_size: examples per batch.

    Returns:
        The indices of each batch. All batches are full except the last, which contains the longest
        examples of the last window. Examples of equal length keep their order.
    """
    windows = cut(order, WINDOW * batch_size)
    ordered = [window[np.argsort(length[window], kind="stable")] for window in windows]
    return [batch for window in ordered for batch in cut(window, batch_size)]


def cut(order: np.ndarray, size: int) -> list[np.ndarray]:
    """Split an order into parts of `size`; the last may be smaller."""
    return [order[start : start + size] for start in range(0, len(order), size)]
