"""A stack of convolutions, flattened and followed by dense layers, over a whole batch of images.

A group of images passes through every stage before the next group starts, so that what one stage
writes is still in cache when the next one reads it; groups are spread over the cores.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Protocol

import numpy as np

from scratch_forward.kernels.pooling import Activation
from scratch_forward.kernels.scratch import Scratch, ScratchPerThread
from scratch_forward.kernels.threads import run, slices

GROUP = 64  # images: matrix products of 64 columns run near their peak, and caches hold the rest


class Stage(Protocol):
    """A function of (..., n) arrays, the batch as last axis."""

    def __call__(self, x: np.ndarray, scratch: Scratch) -> np.ndarray:
        """Compute the stage; the result may live in `scratch`, until the stage runs again."""
        ...


@dataclass(frozen=True)
class FlatDense:
    """activation(W^T flatten(x) + b), with W (features, units): (..., n) to (units, n).

    Flattening the axes before the batch gives Keras' order of features: rows, columns, channels.
    """

    kernel: np.ndarray
    bias: np.ndarray | None
    activation: Activation = "linear"

    def __call__(self, x: np.ndarray, scratch: Scratch) -> np.ndarray:
        """Map x (..., n) to (units, n)."""
        out = np.matmul(self.kernel.T, x.reshape(-1, x.shape[-1]))
        if self.bias is not None:
            out += self.bias[:, None]
        return np.maximum(out, 0, out=out) if self.activation == "relu" else out


def run_stack(
    stages: Sequence[Stage], images: np.ndarray, workers: int | None = None, group: int = GROUP
) -> np.ndarray:
    """Pass images (N, H, W, C) through the stages; return the last one's output, (N, ...)."""
    buffers = ScratchPerThread()

    def forward(part: slice) -> np.ndarray:
        x = np.moveaxis(images[part], 0, -1)
        for stage in stages:
            x = stage(x, buffers.scratch)
        return np.moveaxis(x, -1, 0).copy()  # x may be in a buffer that the next group uses

    return np.concatenate(run(forward, slices(len(images), group), workers))
