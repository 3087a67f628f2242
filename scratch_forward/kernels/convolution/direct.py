"""Direct convolution: one matrix product per output pixel of a group of examples.

With the batch as the last axis, the columns under an output pixel are contiguous in memory. Only
the rows of the kernel's window are copied side by side ("unrolled"). Supports all strides,
dilations and groups.
"""

from dataclasses import dataclass
from functools import partial
from typing import Self

import numpy as np
from numpy.lib.stride_tricks import as_strided

from scratch_forward.kernels.convolution.geometry import Geometry
from scratch_forward.kernels.convolution.method import Block, Call, Method
from scratch_forward.kernels.convolution.unrolled_rows import unroll_rows, unrolled_row
from scratch_forward.kernels.runtime.matmul import cut
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
        """The number of multiplications in the definition, and the copies of `unroll_rows`."""
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

    @property
    def row_elements(self) -> int:
        """Elements per example of an output row or of its unrolled input."""
        return max(super().row_elements, unrolled_row(self.geometry))

    def block(self, padded: np.ndarray, start: int, stop: int, workspace: Workspace) -> Block:
        """Return the calls for output rows `start` to `stop`: copies and one product per pixel."""
        geometry, examples = self.geometry, padded.shape[3]
        width, filters = geometry.out[1], geometry.filters
        calls, windows = self._windows(padded, start, stop, workspace)
        shape = (stop - start, width, geometry.groups, filters // geometry.groups, examples)
        out = workspace.array("convolved", shape, padded.dtype)
        product = partial(np.matmul, *cut(self.weights, windows, out))
        return Block([*calls, product], out.reshape(stop - start, width, filters, examples))

    def _windows(
        self, padded: np.ndarray, start: int, stop: int, workspace: Workspace
    ) -> tuple[list[Call], np.ndarray]:
        """View the input under each pixel: (rows, out width, groups, kw * kh * channels, n)."""
        geometry, rows = self.geometry, stop - start
        (kh, kw), step, width = geometry.kernel, geometry.strides[1], geometry.out[1]
        calls, unrolled = unroll_rows(geometry, geometry.groups, padded, start, stop, workspace)
        groups, _, _, _, channels, examples = unrolled.shape
        by_group, by_row, by_column, *_, by_example = unrolled.strides
        shape = (rows, width, groups, kw, kh * channels * examples)
        strides = (by_row, by_column * step, by_group, by_column * geometry.dilation[1], by_example)
        columns = as_strided(unrolled, shape, strides, writeable=False)
        terms = (*shape[:3], kw * kh * channels, examples)
        if geometry.dilation[1] == 1 or kw == 1:  # the columns are contiguous: no copy
            strides = (*strides[:3], by_example * examples, by_example)
            return calls, as_strided(unrolled, terms, strides, writeable=False)
        windows = workspace.array("windows", shape, padded.dtype)
        return [*calls, partial(np.copyto, windows, columns)], windows.reshape(terms)
