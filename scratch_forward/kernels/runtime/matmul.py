"""Matrix products, split to the size at which BLAS is fastest."""

from typing import NamedTuple

import numpy as np

# Multiplications per product. Up to this number OpenBLAS reads the operands in place; for larger
# products it copies both first. 128x192 by 192x64 ran at 123 GFLOP/s as one product and at 165
# GFLOP/s as two.
SMALL = 1_000_000


class Product(NamedTuple):
    """The operands and the output of `numpy.matmul`, as views split to that size."""

    a: np.ndarray
    b: np.ndarray
    out: np.ndarray


def cut(a: np.ndarray, b: np.ndarray, out: np.ndarray) -> Product:
    """Split out = a b, (..., m, k) by (..., k, n), into products of blocks of rows of `a`."""
    m, k, n = *a.shape[-2:], b.shape[-1]
    parts = 1 if m * k * n <= SMALL else _parts(m, k * n)
    if parts == 1:
        return Product(a, b, out)
    blocks = a.reshape(*a.shape[:-2], parts, m // parts, k)
    return Product(blocks, b[..., None, :, :], out.reshape(*out.shape[:-2], parts, m // parts, n))


def _parts(rows: int, cost: int) -> int:
    """Return the number of equal blocks of at least 16 rows, or 1 if none is small enough."""
    for parts in range(-(-rows * cost // SMALL), rows // 16 + 1):
        if rows % parts == 0:
            return parts
    return 1
