"""Dropout masks of recurrent cells, which are the same at every step."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np

from scratch_forward.layers.base import Array


class DropoutMasks(NamedTuple):
    """Factors for a cell's input and first state in training, the same at every step.

    Each is one array for all gates or one array per gate, or None without dropout.
    """

    inputs: list[Array] | None = None
    states: list[Array] | None = None


NOTHING_DROPPED = DropoutMasks()


def product(x: Array, kernel: Array, masks: list[Array] | None) -> Array:
    """Multiply by a kernel. Each block of its columns has its own mask of x, if there are masks."""
    if not masks:
        return x @ kernel
    blocks = np.split(kernel, len(masks), axis=1)
    return np.concatenate([(x * m) @ block for m, block in zip(masks, blocks, strict=True)], -1)
