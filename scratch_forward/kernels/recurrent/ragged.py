"""Conversion of padded batches of sequences to ragged batches, sorted by length.

A masked step does not change the state of a recurrent layer. A masked sequence therefore gives the
same states as its valid steps alone. With the sequences sorted by their number of valid steps, the
sequences still running at any step are the first ones. Padding is never computed, wherever it is.
"""

from dataclasses import dataclass
from typing import Self

import numpy as np


@dataclass(frozen=True)
class Ragged:
    """The location of each valid step of a batch (N, T) in time-major arrays (S, N, ...).

    S is the largest number of valid steps. The sequences are the rows of the batch in `order`.
    """

    order: np.ndarray  # (N,): row of the batch for each sequence, longest first
    lengths: np.ndarray  # (N,): number of valid steps of each sequence, descending
    times: np.ndarray  # (S, N): time of each sequence's s-th valid step; arbitrary past its end
    valid: np.ndarray  # (N, T) bool: the mask, in the order of the sequences

    @classmethod
    def of(cls, mask: np.ndarray) -> Self:
        """Create the layout of a batch with a boolean mask (N, T) of any pattern."""
        lengths = mask.sum(axis=1)
        order = np.argsort(-lengths, kind="stable")
        lengths, valid = lengths[order], mask[order]
        steps = int(lengths[0]) if len(lengths) else 0
        times = np.argsort(~valid, axis=1, kind="stable")[:, :steps].T
        return cls(order, lengths, np.ascontiguousarray(times), valid)

    @classmethod
    def full(cls, rows: int, steps: int) -> Self:
        """Create the layout of a batch without a mask."""
        times = np.broadcast_to(np.arange(steps)[:, None], (steps, rows))
        lengths = np.full(rows, steps)
        return cls(np.arange(rows), lengths, times, np.ones((rows, steps), bool))

    @property
    def steps(self) -> int:
        """Largest number of valid steps."""
        return len(self.times)

    @property
    def is_full(self) -> bool:
        """Whether all sequences have the maximum length."""
        return not self.steps or bool(self.lengths[-1] == self.steps)

    @property
    def running(self) -> np.ndarray:
        """Number of sequences still running at each step: (S,), descending."""
        return np.searchsorted(-self.lengths, -np.arange(self.steps), side="left")

    def gather(self, x: np.ndarray) -> np.ndarray:
        """Select the valid steps of x (N, T, ...): (S, N, ...)."""
        return x[self.order, self.times]

    def reverse(self, y: np.ndarray) -> np.ndarray:
        """Reverse each sequence of y (S, N, ...) within its length. The rest is arbitrary."""
        if self.is_full:
            return y[::-1]
        steps = np.maximum(self.lengths - 1 - np.arange(self.steps)[:, None], 0)
        flat = y.reshape(-1, *y.shape[2:])
        return flat[steps * y.shape[1] + np.arange(y.shape[1])]

    def scatter(self, y: np.ndarray, *, zero_masked: bool) -> np.ndarray:
        """Scatter y (S, N, ...) to a batch (N, T, ...).

        A masked step receives zeros, or the value of the previous step (zeros before the first
        valid step).
        """
        count = np.cumsum(self.valid, axis=1)
        out = np.zeros((*self.valid.shape, *y.shape[2:]), y.dtype)
        given = self.valid if zero_masked else count > 0
        sequences, times = np.nonzero(given)
        out[self.order[sequences], times] = y[count[sequences, times] - 1, sequences]
        return out

    def restore(self, state: np.ndarray) -> np.ndarray:
        """Restore sequences (..., N, u) to the order of the batch's rows."""
        out = np.empty_like(state)
        out[..., self.order, :] = state
        return out
