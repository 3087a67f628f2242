"""Stage for dense layers in a row, computed in blocks of rows."""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import Any, cast

import numpy as np

from scratch_forward import activations
from scratch_forward.fast.fallback import run_plain
from scratch_forward.fast.profile import Clock, shapes_through
from scratch_forward.kernels.runtime.matmul import cut
from scratch_forward.kernels.runtime.workspace import Workspace, WorkspacePerThread
from scratch_forward.layers.base import Array, Generator, Layer
from scratch_forward.layers.core import Dense

BLOCK = 1 << 16  # elements of the widest layer's output for a block, which stay in cache
# Rows of a block. With 16 rows, two layers of 4,096 units took 2.6 times as long as with 128.
LEAST_ROWS, LARGEST_ROWS = 128, 1024
MANY = 12  # rows from which blocks are worth their cost; fewer are computed layer by layer


class DenseStage:
    """Dense layers in a row. A block of rows passes through all of them in buffers that are kept.

    The activation of the last layer is computed for all rows at once. Where calls of NumPy take
    microseconds, threads wait for the interpreter lock: with 64 rows throughout, two threads took
    twice as long as one.
    """

    def __init__(self, layers: Sequence[Layer]) -> None:
        self.layers = [cast(Dense, layer) for layer in layers]
        widest = max(layer.units for layer in self.layers)
        self._rows = min(max(BLOCK // widest, LEAST_ROWS), LARGEST_ROWS)
        self._biases = [_repeated(layer, self._rows) for layer in self.layers]
        self._zeros = np.zeros(self._rows * widest, layers[0].dtype)
        self._buffers = WorkspacePerThread()

    def run(
        self,
        inputs: Any,
        mask: Any = None,
        generator: Generator | None = None,
        clock: Clock | None = None,
    ) -> tuple[Any, Any]:
        """Compute the outputs of a batch and their mask, that of the input."""
        x = self.layers[0].convert(inputs)
        if x.ndim < 2 or math.prod(x.shape[:-1]) < MANY:
            outputs, mask = run_plain(self.layers, inputs, mask, generator)
        else:
            outputs = self._in_blocks(x.reshape(-1, x.shape[-1])).reshape(*x.shape[:-1], -1)
            outputs = self.layers[-1].activation(outputs)
        if clock is not None:
            clock.lap(self.layers, len(x), shapes_through(self.layers, x.shape))
        return outputs, mask

    def _in_blocks(self, x: Array) -> Array:
        """Return the outputs for rows (n, features), before the last activation."""
        outputs = np.empty((len(x), self.layers[-1].units), x.dtype)
        for start in range(0, len(x), self._rows):
            block = slice(start, start + self._rows)
            self._compute(x[block], outputs[block], self._buffers.workspace)
        return outputs

    def _compute(self, x: Array, out: Array, workspace: Workspace) -> None:
        """Write the outputs of a block before the last activation."""
        *hidden, last = range(len(self.layers))
        for number in hidden:
            layer = self.layers[number]
            y = workspace.array(number, (len(x), layer.units), x.dtype)
            x = self._activated(layer, self._sums(number, x, y))
        self._sums(last, x, out)

    def _sums(self, number: int, x: Array, out: Array) -> Array:
        """Write `x @ kernel + bias` of a layer to `out`."""
        np.matmul(*cut(x, self.layers[number].weights["kernel"], out))
        bias = self._biases[number]
        if bias is not None:
            out += bias[: len(out)]
        return out

    def _activated(self, layer: Dense, y: Array) -> Array:
        """Apply an activation. NumPy takes the maximum of two arrays faster than with a number."""
        if layer.activation is activations.relu:
            return np.maximum(y, self._zeros[: y.size].reshape(y.shape), out=y)
        return layer.activation(y)


def _repeated(layer: Dense, rows: int) -> Array | None:
    """Repeat the bias for each row of a block, so that adding it is a single loop."""
    return np.tile(layer.weights["bias"], (rows, 1)) if layer.use_bias else None
