"""Bias, activation and non-overlapping pooling, applied to a convolution's rows in cache."""

from typing import Literal, NamedTuple

import numpy as np

Activation = Literal["linear", "relu"]


class Pool(NamedTuple):
    """Adjacent windows of `size` pixels. Incomplete windows at the end are dropped ("valid")."""

    kind: Literal["max", "average"]
    size: tuple[int, int]


def activate(
    x: np.ndarray, bias: np.ndarray | None, activation: Activation, out: np.ndarray
) -> None:
    """Write activation(x + bias) to `out`, which may be x.

    x has shape (..., filters, n); the bias broadcasts to it. ReLU is computed as
    max(x, -bias) + bias, which equals max(x + bias, 0) to the last bit. NumPy computes the maximum
    of two arrays three times as fast as that of an array and a scalar.
    """
    if activation == "relu" and bias is not None:
        np.add(np.maximum(x, -bias, out=out), bias, out=out)
    elif activation == "relu":
        np.maximum(x, 0, out=out)
    elif bias is not None:
        np.add(x, bias, out=out)
    elif x is not out:
        out[...] = x


def pool_windows(rows: np.ndarray, pool: Pool, out: np.ndarray) -> None:
    """Write the maximum or mean of each window of rows (r, w, filters, n) to `out`.

    A single call reduces both axes of the windows. Its inner loop covers a whole pixel,
    (filters, n).
    """
    (high, wide), (height, width, filters, examples) = pool.size, out.shape
    cells = rows[: height * high, : width * wide]
    windows = cells.reshape(height, high, width, wide, filters * examples)
    combine = np.maximum if pool.kind == "max" else np.add
    combine.reduce(windows, axis=(1, 3), out=out.reshape(height, width, -1))
    if pool.kind == "average":
        out *= out.dtype.type(1 / (high * wide))
