"""What the gates of a step begin with: x W + h U + b, by the kind of input.

A layer's directions are the lanes (see `cell_steps`); `wavefront` has the gates of several layers.
"""

from collections.abc import Sequence
from typing import NamedTuple

import numpy as np

from scratch_forward.kernels.recurrent.cell_steps import Step
from scratch_forward.kernels.runtime import matmul
from scratch_forward.kernels.runtime.workspace import Workspace


class Tokens(NamedTuple):
    """Inputs by number: the table (G, D V, u), see `look_up_table`, and ids in [0, V), (S, N) each.

    There are ids for each direction.
    """

    table: np.ndarray
    ids: Sequence[np.ndarray]


class Features(NamedTuple):
    """Inputs for each direction, as parts (S, N, ...) whose features stand side by side."""

    parts: Sequence[Sequence[np.ndarray]]


class Shape(NamedTuple):
    """Sizes of the arrays of a step: lanes, gates, sequences, units; `cells` counts an LSTM's c."""

    lanes: int
    gates: int
    cells: int
    sequences: int
    units: int


class Slots:
    """One gate of all lanes after the other, (G, L, N, u), and behind them the c of an LSTM.

    So any number of gates in a row lies in one piece, which calls are quickest with.
    """

    def __init__(self, shape: Shape, dtype: np.dtype, workspace: Workspace) -> None:
        lanes, self._gates, cells, sequences, units = shape
        self._work = workspace.array("slots", (self._gates + cells, lanes, sequences, units), dtype)
        self.cells = list(self._work[self._gates :])
        for cell in self.cells:
            cell[...] = 0

    def cut(self, step: Step) -> tuple[np.ndarray, np.ndarray]:
        """Return the slots of a step's lanes and sequences, and the gates among them."""
        slots = self._work[:, step.first : step.last, : step.sequences]
        return slots, slots[: self._gates]


def flat_view(buffer: np.ndarray, shape: tuple[int, ...]) -> np.ndarray:
    """View the beginning of a flat buffer as an array: contiguous, whatever its shape."""
    return buffer[: int(np.prod(shape))].reshape(shape)


class _StateGates:
    """Gates of h U, weights (D, G, u, u), to which x W + b is added as a whole."""

    def __init__(self, shape: Shape, weights: np.ndarray, workspace: Workspace) -> None:
        self._slots = Slots(shape, weights.dtype, workspace)
        self._state = np.zeros((shape.lanes, shape.sequences, shape.units), weights.dtype)
        self.states = [self._state, *self._slots.cells]
        self._weights = weights

    def cut(self, step: Step) -> np.ndarray:
        """Return where the gates of the running sequences come to stand."""
        slots, self._z = self._slots.cut(step)
        state = step.of(self._state)[:, None]
        self._product = matmul.cut(state, self._weights, self._z.swapaxes(0, 1))
        return slots

    def _fill(self, added: np.ndarray) -> None:
        np.matmul(*self._product)
        np.add(self._z, added, self._z)


class TokenGates(_StateGates):
    """Gates whose inputs' part is looked up."""

    def __init__(
        self, shape: Shape, weights: np.ndarray, inputs: Tokens, workspace: Workspace
    ) -> None:
        super().__init__(shape, weights, workspace)
        self._table, ids = inputs
        vocabulary = self._table.shape[1] // len(ids)
        self._ids = np.stack([row + d * vocabulary for d, row in enumerate(ids)], 1, dtype=np.intp)
        self._buffer = workspace.array(
            "found", (weights[..., 0].size * shape.sequences,), weights.dtype
        )

    def cut(self, step: Step) -> np.ndarray:
        """Return where the gates of the running sequences come to stand."""
        slots = super().cut(step)
        self._found = flat_view(self._buffer, self._z.shape)
        self._now = self._ids[:, :, : step.sequences]
        return slots

    def fill(self, number: int) -> None:
        """Compute x W + h U + b of a step there."""
        self._table.take(self._now[number], 1, self._found, "clip")
        self._fill(self._found)


class ProjectedGates(_StateGates):
    """Gates of few sequences: x W + b of all steps is one product, as long as the sequence.

    A product of few rows takes the time of reading its weights, so the fewer of them in a step the
    better; weights (D, G, F + u + 1, u).
    """

    def __init__(
        self, shape: Shape, weights: np.ndarray, inputs: Features, workspace: Workspace
    ) -> None:
        features = weights.shape[2] - shape.units - 1
        super().__init__(shape, weights[:, :, features:-1], workspace)
        steps = len(inputs.parts[0][0])
        size = (steps, shape.gates, shape.lanes, shape.sequences, shape.units)
        self._ahead = workspace.array("ahead", size, weights.dtype)
        for lane, (parts, rows) in enumerate(zip(inputs.parts, weights, strict=True)):
            x = np.concatenate(parts, axis=-1).reshape(-1, features)
            projected = np.matmul(x, rows[:, :features]) + rows[:, -1:]
            by_step = projected.reshape(shape.gates, steps, shape.sequences, shape.units)
            self._ahead[:, :, lane] = by_step.swapaxes(0, 1)

    def cut(self, step: Step) -> np.ndarray:
        """Return where the gates of the running sequences come to stand."""
        self._now = self._ahead[:, :, :, : step.sequences]
        return super().cut(step)

    def fill(self, number: int) -> None:
        """Compute x W + h U + b of a step there."""
        self._fill(self._now[number])


class FeatureGates:
    """Gates of one product of rows [x, h, 1]; weights (D, G, F + u + 1, u): of all three."""

    def __init__(
        self, shape: Shape, weights: np.ndarray, inputs: Features, workspace: Workspace
    ) -> None:
        rows, dtype = weights.shape[2], weights.dtype
        self._slots = Slots(shape, dtype, workspace)
        self._joined = workspace.array("joined", (shape.lanes, shape.sequences, rows), dtype)
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
        """Return where the gates of the running sequences come to stand."""
        count = step.sequences
        slots, z = self._slots.cut(step)
        self._now = [(place[:count], part[:, :count]) for place, part in self._places]
        rows = self._joined[:, None, :count]
        self._product = matmul.cut(rows, self._weights, z.swapaxes(0, 1))
        return slots

    def fill(self, number: int) -> None:
        """Compute x W + h U + b of a step there."""
        for place, part in self._now:
            place[...] = part[number]
        np.matmul(*self._product)
