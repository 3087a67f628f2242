"""Padded batches of sequences as what they are: ragged, the longest first.

A masked step leaves a recurrent layer's state as it was. So a sequence with any mask gives the same
states as its valid steps alone, moved together; and with the sequences sorted by the number of
their valid steps, the ones still running at any step are the first so many. Nothing is computed
for padding, wherever it stands.
"""

from dataclasses import dataclass
from typing import Self

import numpy as np


@dataclass(frozen=True)
class Ragged:
    """Where each valid step of a batch (N, T) goes in time-major arrays (S, N, ...).

    S is the largest number of valid steps; the sequences are the batch's rows in `order`.
    """

    order: np.ndarray  # (N,): the row of the batch in each sequence, longest first
    lengths: np.ndarray  # (N,): valid steps of each sequence, descending
    times: np.ndarray  # (S, N): the time of each sequence's s-th valid step; past its end, any time
    valid: np.ndarray  # (N, T) bool: the mask, in the order of the sequences

    @classmethod
    def of(cls, mask: np.ndarray) -> Self:
        """Lay out a batch with this mask, (N, T) bool, of any pattern."""
        lengths = mask.sum(axis=1)
        order = np.argsort(-lengths, kind="stable")
        lengths, valid = lengths[order], mask[order]
        steps = int(lengths[0]) if len(lengths) else 0
        times = np.argsort(~valid, axis=1, kind="stable")[:, :steps].T
        return cls(order, lengths, np.ascontiguousarray(times), valid)

    @classmethod
    def full(cls, rows: int, steps: int) -> Self:
        """Lay out a batch in which every step counts."""
        times = np.broadcast_to(np.arange(steps)[:, None], (steps, rows))
        lengths = np.full(rows, steps)
        return cls(np.arange(rows), lengths, times, np.ones((rows, steps), bool))

    @property
    def steps(self) -> int:
        """The largest number of valid steps."""
        return len(self.times)

    @property
    def is_full(self) -> bool:
        """Whether all sequences run to the last step."""
        return not self.steps or bool(self.lengths[-1] == self.steps)

    @property
    def running(self) -> np.ndarray:
        """How many sequences still run at each step: (S,), descending."""
        return np.searchsorted(-self.lengths, -np.arange(self.steps), side="left")

    def gather(self, x: np.ndarray) -> np.ndarray:
        """Pick the valid steps of x (N, T, ...): (S, N, ...)."""
        return x[self.order, self.times]

    def reverse(self, y: np.ndarray) -> np.ndarray:
        """Turn each sequence of y (S, N, ...) around within its length; past its end, anything."""
        if self.is_full:
            return y[::-1]
        steps = np.maximum(self.lengths - 1 - np.arange(self.steps)[:, None], 0)
        flat = y.reshape(-1, *y.shape[2:])
        return flat[steps * y.shape[1] + np.arange(y.shape[1])]

    def scatter(self, y: np.ndarray, *, zero_masked: bool) -> np.ndarray:
        """Put y (S, N, ...) back into a batch (N, T, ...).

        A masked step gives zeros, or what the step before it gave (zeros before the first).
        """
        count = np.cumsum(self.valid, axis=1)
        out = np.zeros((*self.valid.shape, *y.shape[2:]), y.dtype)
        given = self.valid if zero_masked else count > 0
        sequences, times = np.nonzero(given)
        out[self.order[sequences], times] = y[count[sequences, times] - 1, sequences]
        return out

    def restore(self, state: np.ndarray) -> np.ndarray:
        """Put sequences (..., N, u) back into the order of the batch's rows."""
        out = np.empty_like(state)
        out[..., self.order, :] = state
        return out
