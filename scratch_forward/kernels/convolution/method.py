"""What every way to convolve offers: one file in this folder each, and an entry in `METHODS`."""

from abc import ABC, abstractmethod
from collections.abc import Iterator
from typing import ClassVar, Self

import numpy as np

from scratch_forward.kernels.convolution.geometry import Geometry, Inlet
from scratch_forward.kernels.runtime.workspace import Workspace

# Output elements per block of rows: few enough to stay in the caches, enough for each NumPy call to
# take a tenth of a millisecond. Between shorter calls threads wait for the interpreter's lock: two
# threads were slower than one at 5 microseconds a call, and a tenth slower with half the elements.
BLOCK = 1 << 19

RowBlock = tuple[int, np.ndarray]


def row_bounds(rows: int, step: int, row_elements: int) -> Iterator[tuple[int, int]]:
    """Cut `rows` output rows into blocks of about `BLOCK` elements, multiples of `step` rows."""
    size = max(BLOCK // (row_elements * step), 1) * step
    for start in range(0, rows, size):
        yield start, min(start + size, rows)


class Method(ABC):
    """A kernel prepared for images of one size.

    Attributes:
        spreads: whether a value reaches output cells whose windows do not hold it: multiplied by
            zero, or added and subtracted again. That changes only rounding, unless the value is
            infinite, NaN or huge.
    """

    spreads: ClassVar[bool]

    @staticmethod
    @abstractmethod
    def covers(geometry: Geometry) -> bool:
        """Whether this method can compute convolutions of these sizes."""

    @staticmethod
    @abstractmethod
    def cost(geometry: Geometry) -> float:
        """Estimate the time per example, in multiplications of a large matrix product."""

    @classmethod
    @abstractmethod
    def prepare(cls, kernel: np.ndarray, geometry: Geometry) -> Self:
        """Transform a kernel (kh, kw, channels / groups, filters)."""

    @abstractmethod
    def inlet(self, rows: int, examples: int, dtype: np.dtype, workspace: Workspace) -> Inlet:
        """Return where the input goes, with the padding that this method needs for its rows."""

    @abstractmethod
    def row_blocks(
        self, padded: np.ndarray, rows: int, step: int, workspace: Workspace
    ) -> Iterator[RowBlock]:
        """Yield (first row, outputs (r, out width, filters, n)) up to `rows`, r in whole steps.

        The outputs lack the bias. A block lives in `workspace`: use it before the next one.
        """
