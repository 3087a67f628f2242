"""Direct convolution: one matrix product per output pixel of a group of examples.

With the batch as the last axis, the columns under an output pixel are contiguous in memory. Only
the rows of the kernel's window are copied side by side ("unrolled"). Supports all strides,
dilations and groups.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Self

import numpy as np
from numpy.lib.stride_tricks import as_strided

from scratch_forward.kernels.convolution.geometry import Geometry, Inlet, inlet
from scratch_forward.kernels.convolution.method import Method, RowBlock, row_bounds
from scratch_forward.kernels.runtime.matmul import multiply
from scratch_forward.kernels.runtime.workspace import Workspace

COPY = 20  # multiplications in the time of copying an element


@dataclass(frozen=True)
class Direct(Method):
    """Direct convolution, weights (groups, filters / groups, kw * kh * channels / groups)."""

    spreads = False
    geometry: Geometry
    weights: np.ndarray

    @staticmethod
    def covers(geometry: Geometry) -> bool:
        """All strides, dilations and numbers of groups."""
        return True

    @staticmethod
    def cost(geometry: Geometry) -> float:
        """The number of multiplications in the definition, and the copies of `_unroll_rows`."""
        (height, width), (kh, kw) = geometry.out, geometry.kernel
        copied = height * (width * geometry.strides[1] + kw - 1) * kh * geometry.channels
        return geometry.multiplications + COPY * (copied if kh > 1 else 0)

    @classmethod
    def prepare(cls, kernel: np.ndarray, geometry: Geometry) -> Self:
        """Reorder a kernel (kh, kw, channels / groups, filters)."""
        kh, kw, channels, filters = kernel.shape
        by_group = kernel.reshape(kh, kw, channels, geometry.groups, filters // geometry.groups)
        ordered = by_group.transpose(3, 4, 1, 0, 2)
        return cls(
            geometry, ordered.reshape(geometry.groups, filters // geometry.groups, -1).copy()
        )

    def inlet(self, rows: int, examples: int, dtype: np.dtype, workspace: Workspace) -> Inlet:
        """Return the view for the input inside its zero padding."""
        return inlet(("inlet", id(self)), self.geometry, 0, examples, dtype, workspace)

    def row_blocks(
        self, padded: np.ndarray, rows: int, step: int, workspace: Workspace
    ) -> Iterator[RowBlock]:
        """Yield (first row, outputs (rows, out width, filters, n)) of padded images."""
        geometry, examples = self.geometry, padded.shape[3]
        width, filters = geometry.out[1], geometry.filters
        for start, stop in row_bounds(rows, step, width * filters * examples):
            windows = self._windows(padded[start * geometry.strides[0] :], stop - start, workspace)
            shape = (stop - start, width, geometry.groups, filters // geometry.groups, examples)
            out = workspace.array("convolved", shape, padded.dtype)
            multiply(self.weights, windows, out)
            yield start, out.reshape(stop - start, width, filters, examples)

    def _windows(self, padded: np.ndarray, rows: int, workspace: Workspace) -> np.ndarray:
        """View the input under each pixel: (rows, out width, groups, kw * kh * channels, n)."""
        geometry = self.geometry
        (kh, kw), step, width = geometry.kernel, geometry.strides[1], geometry.out[1]
        unrolled = self._unroll_rows(padded, rows, workspace)
        groups, _, _, _, channels, examples = unrolled.shape
        by_group, by_row, by_column, *_, by_example = unrolled.strides
        shape = (rows, width, groups, kw, kh * channels * examples)
        strides = (by_row, by_column * step, by_group, by_column * geometry.dilation[1], by_example)
        columns = as_strided(unrolled, shape, strides, writeable=False)
        if geometry.dilation[1] == 1 or kw == 1:  # the columns are contiguous: no copy
            shape = (*shape[:3], kw * kh * channels, examples)
            strides = (*strides[:3], by_example * examples, by_example)
            return as_strided(unrolled, shape, strides, writeable=False)
        return columns.reshape(*shape[:3], kw * kh * channels, examples)

    def _unroll_rows(self, padded: np.ndarray, rows: int, workspace: Workspace) -> np.ndarray:
        """Copy the window's rows side by side: (groups, rows, padded width, kh, channels, n)."""
        geometry = self.geometry
        (kh, _), groups, step = geometry.kernel, geometry.groups, geometry.strides[0]
        _, width, channels, examples = padded.shape
        by_group = padded.reshape(-1, width, groups, channels // groups, examples)
        by_group = by_group.transpose(2, 0, 1, 3, 4)
        if kh == 1 and step == 1 and groups == 1:
            return by_group[:, :, :, None]
        shape = (groups, rows, width, kh, channels // groups, examples)
        unrolled = workspace.array("unrolled", shape, padded.dtype)
        by_row = by_group.strides[1]
        strides = (
            by_group.strides[0],
            by_row * step,
            by_group.strides[2],
            by_row * geometry.dilation[0],
            *by_group.strides[3:],
        )
        unrolled[...] = as_strided(by_group, shape, strides, writeable=False)
        return unrolled
