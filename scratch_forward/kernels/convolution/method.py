"""Interface of convolution methods. Each is one file in this folder and an entry in `METHODS`."""

from abc import ABC, abstractmethod
from collections.abc import Callable, Iterator
from typing import Any, ClassVar, NamedTuple, Self

import numpy as np

from scratch_forward.kernels.convolution.geometry import Geometry, Inlet, inlet
from scratch_forward.kernels.runtime.workspace import Workspace

# Elements per block of rows: a block, its inputs and what is computed from them stay in the second
# level of the cache. Passes over arrays in the third level take three times as long.
BLOCK = 1 << 17

Call = Callable[[], Any]


class Block(NamedTuple):
    """A block of output rows: the calls that compute it, and the array that they fill."""

    calls: list[Call]
    rows: np.ndarray  # (r, out width, filters, n)


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
        geometry: Sizes of the convolution.
        rows_at_once: Blocks have a multiple of this number of rows, except for the last one.
    """

    spreads: ClassVar[bool]
    mixes: ClassVar[bool] = False
    geometry: Geometry
    rows_at_once: int = 1

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

    def inlet(self, rows: int, examples: int, dtype: np.dtype, workspace: Workspace) -> Inlet:
        """Return the view for the input, with the padding that `rows` output rows need."""
        return inlet(("inlet", id(self)), self.geometry, 0, examples, dtype, workspace)

    @property
    def row_elements(self) -> int:
        """Elements per example of the largest array that is computed for an output row."""
        return self.geometry.out[1] * self.geometry.filters

    @abstractmethod
    def block(self, padded: np.ndarray, start: int, stop: int, workspace: Workspace) -> Block:
        """Return the calls for output rows `start` to `stop` of padded images, without the bias.

        The calls are made once per group of examples, each time after `padded` was filled. Their
        buffers are arrays of `workspace`, which other blocks use as well.
        """
