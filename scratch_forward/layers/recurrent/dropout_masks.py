"""What a recurrent cell drops while training: the same at every step."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np

from scratch_forward.layers.base import Array


class DropoutMasks(NamedTuple):
    """What a cell's input and first state are multiplied by when training, the same at every step.

    One array for all gates, or one for each gate; None where nothing is dropped.
    """

    inputs: list[Array] | None = None
    states: list[Array] | None = None


NOTHING_DROPPED = DropoutMasks()


def product(x: Array, kernel: Array, masks: list[Array] | None) -> Array:
    """Multiply by a kernel, each block of its columns after dropping by a mask of its own."""
    if not masks:
        return x @ kernel
    blocks = np.split(kernel, len(masks), axis=1)
    return np.concatenate([(x * m) @ block for m, block in zip(masks, blocks, strict=True)], -1)
