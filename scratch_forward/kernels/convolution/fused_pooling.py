"""Bias, activation and non-overlapping pooling, applied to a convolution's rows in cache."""

from collections.abc import Iterator
from functools import partial
from typing import Literal, NamedTuple

import numpy as np

from scratch_forward.kernels.convolution.method import Call

Activation = Literal["linear", "relu"]


class Pool(NamedTuple):
    """Adjacent windows of `size` pixels. Incomplete windows at the end are dropped ("valid")."""

    kind: Literal["max", "average"]
    size: tuple[int, int]


def activation_calls(
    x: np.ndarray, bias: np.ndarray | None, activation: Activation, out: np.ndarray
) -> Iterator[Call]:
    """Yield the calls that write activation(x + bias) to `out`, which may be x. They overwrite x.

    x has shape (..., filters, n); the bias broadcasts to it. ReLU is computed as
    max(x, -bias) + bias, which equals max(x + bias, 0) to the last bit. NumPy computes the maximum
    of two arrays three times as fast as that of an array and a scalar.
    """
    if activation == "relu" and bias is not None:
        yield partial(np.maximum, x, -bias, out=x)
        yield partial(np.add, x, bias, out)
    elif activation == "relu":
        yield partial(np.maximum, x, np.zeros(x.shape[-2:], x.dtype), out=out)
    elif bias is not None:
        yield partial(np.add, x, bias, out)
    elif x is not out:
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
