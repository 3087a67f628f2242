"""Bias, activation and non-overlapping pooling, applied to a convolution's rows in cache."""

from collections.abc import Iterator
from functools import partial
from typing import Literal, NamedTuple, Self

import numpy as np

from scratch_forward.kernels.convolution.method import Call

Activation = Literal["linear", "relu"]


class Pool(NamedTuple):
    """Adjacent windows of `size` pixels. Incomplete windows at the end are dropped ("valid")."""

    kind: Literal["max", "average"]
    size: tuple[int, int]


class Ending(NamedTuple):
    """Bias and activation of arrays (..., filters, n), prepared for a number of examples.

    ReLU is computed as max(x, -bias) + bias, which equals max(x + bias, 0) to the last bit. NumPy
    computes the maximum of two arrays three times as fast as that of an array and a scalar.
    """

    bias: np.ndarray | None  # (filters, n), repeated so that adding it is a single loop
    lowest: np.ndarray | None  # (filters, n), the lowest value before the bias is added

    @classmethod
    def of(
        cls,
        bias: np.ndarray | None,
        activation: Activation,
        filters: int,
        examples: int,
        dtype: np.dtype,
    ) -> Self:
        """Prepare a bias (filters,), or None, and an activation."""
        added = np.zeros(filters, dtype) if bias is None else bias
        repeated = np.repeat(added[:, None], examples, axis=1)
        lowest = 0 - repeated if activation == "relu" else None  # 0, not -0, without a bias
        return cls(None if bias is None else repeated, lowest)

    def calls(self, x: np.ndarray, out: np.ndarray) -> Iterator[Call]:
        """Yield the calls that write activation(x + bias) to `out`. They may overwrite x."""
        if self.lowest is not None:
            limited = out if self.bias is None else x
            yield partial(np.maximum, x, self.lowest, out=limited)
        if self.bias is not None:
            yield partial(np.add, x, self.bias, out)
        if self.lowest is None and self.bias is None and x is not out:
            yield partial(np.copyto, out, x)


def pooling_calls(rows: np.ndarray, pool: Pool, out: np.ndarray) -> Iterator[Call]:
    """Yield the calls that write the maximum or mean of each window of rows (r, w, filters, n).

    A single call reduces both axes of the windows. Its inner loop covers a whole pixel,
    (filters, n).
    """
    (high, wide), (height, width, filters, examples) = pool.size, out.shape
    cells = rows[: height * high, : width * wide]
    windows = cells.reshape(height, high, width, wide, filters * examples)
    combine = np.maximum if pool.kind == "max" else np.add
    yield partial(combine.reduce, windows, axis=(1, 3), out=out.reshape(height, width, -1))
    if pool.kind == "average":
        yield partial(np.multiply, out, out.dtype.type(1 / (high * wide)), out)
