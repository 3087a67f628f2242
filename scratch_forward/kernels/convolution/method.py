"""Interface of convolution methods. Each is one file in this folder and an entry in `METHODS`."""

from abc import ABC, abstractmethod
from collections.abc import Iterator
from typing import ClassVar, Self

import numpy as np

from scratch_forward.kernels.convolution.geometry import Geometry, Inlet
from scratch_forward.kernels.runtime.workspace import Workspace

# Output elements per block of rows. Blocks are small enough to stay in cache, and large enough for
# each NumPy call to take a tenth of a millisecond. With shorter calls, threads wait for the
# interpreter lock: two threads were slower than one at 5 microseconds per call, and a tenth slower
# with half the elements.
BLOCK = 1 << 19

RowBlock = tuple[int, np.ndarray]


def row_bounds(rows: int, step: int, row_elements: int) -> Iterator[tuple[int, int]]:
    """Split `rows` output rows into blocks of about `BLOCK` elements, multiples of `step` rows."""
    size = max(BLOCK // (row_elements * step), 1) * step
    for start in range(0, rows, size):
        yield start, min(start + size, rows)


class Method(ABC):
    """A kernel prepared for images of one size.

    Attributes:
        spreads: Whether an input value affects output pixels whose windows do not contain it,
            because it is multiplied by zero, or added and subtracted again. This only changes
            rounding, unless the value is infinite, NaN or very large.
        mixes: Whether the rounding of a large value remains in such pixels, because the value is
            added and subtracted again.
    """

    spreads: ClassVar[bool]
    mixes: ClassVar[bool] = False

    @staticmethod
    @abstractmethod
    def covers(geometry: Geometry) -> bool:
        """Whether this method supports convolutions of these sizes."""

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
        """Return the view for the input, with the padding that `rows` output rows need."""

    @abstractmethod
    def row_blocks(
        self, padded: np.ndarray, rows: int, step: int, workspace: Workspace
    ) -> Iterator[RowBlock]:
        """Yield (first row, outputs (r, out width, filters, n)) up to row `rows`.

        r is a multiple of `step`. The bias is not added. A block is a buffer of `workspace`, valid
        until the next one.
        """
