"""Fingerprints: a hash of the exact arrays trained and tested on."""

from __future__ import annotations

import hashlib
from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
    from pipeline.data.dataset import Split


def fingerprint(split: Split) -> str:
    """Hash a split's inputs and labels with sha256, the same on every machine.

    It covers dtype, shape and bytes of both arrays, as little-endian, row-major values, so that
    two splits share a fingerprint only when a model cannot tell them apart.

    Args:
        split: inputs of any shape and dtype, and labels of shape ``(N,)``.

    Returns:
        64 hexadecimal digits.
    """
    digest = hashlib.sha256()
    for array in (split.inputs, split.labels):
        portable = np.ascontiguousarray(array, dtype=array.dtype.newbyteorder("<"))
        digest.update(f"{portable.dtype.kind}{portable.itemsize}{portable.shape}".encode())
        digest.update(portable.data)
    return digest.hexdigest()
