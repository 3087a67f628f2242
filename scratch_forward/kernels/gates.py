"""What the gates of a step begin with: x W + h U + b, by the kind of input.

A layer's directions are the lanes (see `stepping`); `wave` has the gates of several layers.
"""

from collections.abc import Sequence
from typing import NamedTuple

import numpy as np

from scratch_forward.kernels import products
from scratch_forward.kernels.scratch import Scratch
from scratch_forward.kernels.stepping import Step


class Tokens(NamedTuple):
    """Inputs by number: ids in [0, V), (S, N) for each direction, and the table (D, G, V, u)."""

    table: np.ndarray
    ids: Sequence[np.ndarray]


class Features(NamedTuple):
    """Inputs for each direction, as parts (S, N, ...) whose features stand side by side."""

    parts: Sequence[Sequence[np.ndarray]]


class Shape(NamedTuple):
    """Sizes of the arrays of a step: lanes, gates, columns, units; `cells` counts an LSTM's c."""

    lanes: int
    gates: int
    cells: int
    columns: int
    units: int


class Slots:
    """The gates of each lane side by side, (L, G, N, u), and behind them the c of an LSTM."""

    def __init__(self, shape: Shape, dtype: np.dtype, scratch: Scratch) -> None:
        lanes, self._gates, cells, columns, units = shape
        self._work = scratch.array("slots", (lanes, self._gates + cells, columns, units), dtype)
        self.cells = [self._work[:, gate] for gate in range(self._gates, self._gates + cells)]
        for cell in self.cells:
            cell[...] = 0

    def cut(self, step: Step) -> tuple[np.ndarray, np.ndarray]:
        """Return the slots of a step's lanes and columns, and the gates among them."""
        slots = self._work[step.first : step.last, :, : step.columns]
        return slots, slots[:, : self._gates]


def flat_view(buffer: np.ndarray, shape: tuple[int, ...]) -> np.ndarray:
    """View the beginning of a flat buffer as an array: contiguous, whatever its shape."""
    return buffer[: int(np.prod(shape))].reshape(shape)


class TokenGates:
    """Gates whose inputs' part is looked up; weights (D, G, u, u): of the state."""

    def __init__(self, shape: Shape, weights: np.ndarray, inputs: Tokens, scratch: Scratch) -> None:
        dtype = weights.dtype
        self._slots = Slots(shape, dtype, scratch)
        self._state = np.zeros((shape.lanes, shape.columns, shape.units), dtype)
        self.states = [self._state, *self._slots.cells]
        self._weights, self._table, self._ids = weights, inputs.table, inputs.ids
        self._buffer = scratch.array("found", (weights[..., 0].size * shape.columns,), dtype)

    def cut(self, step: Step) -> np.ndarray:
        """Return where the gates of the running columns come to stand."""
        slots, self._z = self._slots.cut(step)
        self._found = flat_view(self._buffer, self._z.shape)
        self._lookups = [
            (table, ids[:, : step.columns], found)
            for table, ids, found in zip(self._table, self._ids, self._found, strict=True)
        ]
        self._product = products.cut(step.of(self._state)[:, None], self._weights, self._z)
        return slots

    def fill(self, number: int) -> None:
        """Compute x W + h U + b of a step there."""
        for table, ids, found in self._lookups:
            table.take(ids[number], 1, found, "clip")
        np.matmul(*self._product)
        np.add(self._z, self._found, self._z)


class FeatureGates:
    """Gates of one product of rows [x, h, 1]; weights (D, G, F + u + 1, u): of all three."""

    def __init__(
        self, shape: Shape, weights: np.ndarray, inputs: Features, scratch: Scratch
    ) -> None:
        rows, dtype = weights.shape[2], weights.dtype
        self._slots = Slots(shape, dtype, scratch)
        self._joined = scratch.array("joined", (shape.lanes, shape.columns, rows), dtype)
        self._joined[...] = 0
        self._joined[..., -1] = 1
        self._weights = weights
        self.states = [self._joined[..., rows - shape.units - 1 : -1], *self._slots.cells]
        self._places = []
        for joined, parts in zip(self._joined, inputs.parts, strict=True):
            start = 0
            for part in parts:
                stop = start + part.shape[-1]
                self._places.append((joined[:, start:stop], part))
                start = stop

    def cut(self, step: Step) -> np.ndarray:
        """Return where the gates of the running columns come to stand."""
        count = step.columns
        slots, z = self._slots.cut(step)
        self._now = [(place[:count], part[:, :count]) for place, part in self._places]
        self._product = products.cut(self._joined[:, None, :count], self._weights, z)
        return slots

    def fill(self, number: int) -> None:
        """Compute x W + h U + b of a step there."""
        for place, part in self._now:
            place[...] = part[number]
        np.matmul(*self._product)
