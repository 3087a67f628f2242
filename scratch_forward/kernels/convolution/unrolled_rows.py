"""Copies the rows of a kernel's window side by side, so that one matrix product sums over them."""

from functools import partial

import numpy as np
from numpy.lib.stride_tricks import as_strided

from scratch_forward.kernels.convolution.geometry import Geometry
from scratch_forward.kernels.convolution.method import Call
from scratch_forward.kernels.runtime.workspace import Workspace


def unroll_rows(
    geometry: Geometry,
    groups: int,
    padded: np.ndarray,
    start: int,
    stop: int,
    workspace: Workspace,
) -> tuple[list[Call], np.ndarray]:
    """Return the calls that copy the input of output rows `start` to `stop`, and what they fill.

    The array has the shape (groups, rows, padded width, kh, channels / groups, n). Rows of single
    pixels are viewed, not copied.
    """
    (kh, _), step, rows = geometry.kernel, geometry.strides[0], stop - start
    _, width, channels, examples = padded.shape
    seen = padded[start * step :].reshape(-1, width, groups, channels // groups, examples)
    by_group = seen.transpose(2, 0, 1, 3, 4)
    if kh == 1 and step == 1 and groups == 1:
        return [], by_group[:, :rows, :, None]
    strides = (
        by_group.strides[0],
        by_group.strides[1] * step,
        by_group.strides[2],
        by_group.strides[1] * geometry.dilation[0],
        *by_group.strides[3:],
    )
    shape = (groups, rows, width, kh, channels // groups, examples)
    unrolled = workspace.array("unrolled", shape, padded.dtype)
    windows = as_strided(by_group, shape, strides, writeable=False)
    return [partial(np.copyto, unrolled, windows)], unrolled


def unrolled_row(geometry: Geometry) -> int:
    """Return the elements per example that are copied for an output row."""
    return (geometry.size[1] + sum(geometry.padding[1])) * geometry.kernel[0] * geometry.channels
