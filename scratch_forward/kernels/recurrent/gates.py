"""The gates at the start of a step, x W + h U + b, for each kind of input.

The lanes are the directions of a layer (see `step_loops`). `wavefront` computes the gates of
several layers.
"""

from collections.abc import Sequence
from typing import NamedTuple

import numpy as np

from scratch_forward.kernels.recurrent.step_loops import Step
from scratch_forward.kernels.runtime import matmul
from scratch_forward.kernels.runtime.workspace import Workspace


class Tokens(NamedTuple):
    """Token ids as inputs."""

    table: np.ndarray  # array (G, D V, u) from `Recurrent.look_up_table`
    ids: Sequence[np.ndarray]  # one integer array (S, N) per direction, with values in [0, V)


class Features(NamedTuple):
    """Features as inputs: per direction, arrays (S, N, ...) to concatenate on the last axis."""

    parts: Sequence[Sequence[np.ndarray]]


class Shape(NamedTuple):
    """Sizes of the arrays of a step. `cells` counts the cell states: 1 for an LSTM, else 0."""

    lanes: int
    gates: int
    cells: int
    sequences: int
    units: int


class Slots:
    """The gates of all lanes, (G, L, N, u), followed by the cell state c of an LSTM.

    Any number of consecutive gates is contiguous in memory, so that one fast call can process them.
    """

    def __init__(self, shape: Shape, dtype: np.dtype, workspace: Workspace) -> None:
        lanes, self._gates, cells, sequences, units = shape
        self._work = workspace.array("slots", (self._gates + cells, lanes, sequences, units), dtype)
        self.cells = list(self._work[self._gates :])
        for cell in self.cells:
            cell[...] = 0

    def cut(self, step: Step) -> tuple[np.ndarray, np.ndarray]:
        """Return the gates and cell states of a step's lanes and sequences, and the gates alone."""
        slots = self._work[:, step.first : step.last, : step.sequences]
        return slots, slots[: self._gates]


def flat_view(buffer: np.ndarray, shape: tuple[int, ...]) -> np.ndarray:
    """View the beginning of a flat buffer as a contiguous array of the given shape."""
    return buffer[: int(np.prod(shape))].reshape(shape)


class _StateGates:
    """Computes h U with weights (D, G, u, u) and adds x W + b, computed in advance."""

    def __init__(self, shape: Shape, weights: np.ndarray, workspace: Workspace) -> None:
        self._slots = Slots(shape, weights.dtype, workspace)
        self._state = np.zeros((shape.lanes, shape.sequences, shape.units), weights.dtype)
        self.states = [self._state, *self._slots.cells]
        self._weights = weights

    def cut(self, step: Step) -> np.ndarray:
        """Return the buffer for the gates of the running sequences."""
        slots, self._z = self._slots.cut(step)
        state = step.of(self._state)[:, None]
        self._product = matmul.cut(state, self._weights, self._z.swapaxes(0, 1))
        return slots

    def _fill(self, added: np.ndarray) -> None:
        np.matmul(*self._product)
        np.add(self._z, added, self._z)


class TokenGates(_StateGates):
    """Gates for token ids. x W + b is looked up in a table."""

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
        """Return the buffer for the gates of the running sequences."""
        slots = super().cut(step)
        self._found = flat_view(self._buffer, self._z.shape)
        self._now = self._ids[:, :, : step.sequences]
        return slots

    def fill(self, number: int) -> None:
        """Compute x W + h U + b of step `number` into the buffer."""
        self._table.take(self._now[number], 1, self._found, "clip")
        self._fill(self._found)


class ProjectedGates(_StateGates):
    """Gates for few sequences. x W + b of all steps is computed in one product.

    The time of a product with few rows is that of reading its weights, so each step should read as
    few weights as possible. The weights have shape (D, G, F + u + 1, u).
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
        """Return the buffer for the gates of the running sequences."""
        self._now = self._ahead[:, :, :, : step.sequences]
        return super().cut(step)

    def fill(self, number: int) -> None:
        """Compute x W + h U + b of step `number` into the buffer."""
        self._fill(self._now[number])


class SingleGates:
    """Gates of a single sequence. What the inputs add at each step is computed in advance.

    A step is one product per lane and one sum. `dot` of one row takes half the time of a product
    per gate. (A single product for all lanes would multiply the states of other lanes by zero, so
    that a NaN in one direction would reach the other.)

    Args:
        terms: Per lane, the part of the states (L u,) that it reads, and weights (terms, G u).
        ahead: Array (S, G, L, u) to add to the products of each step.
    """

    def __init__(
        self,
        shape: Shape,
        terms: Sequence[tuple[slice, np.ndarray]],
        ahead: np.ndarray,
        workspace: Workspace,
    ) -> None:
        self._slots = Slots(shape, ahead.dtype, workspace)
        self._state = np.zeros((shape.lanes, 1, shape.units), ahead.dtype)
        self.states = [self._state, *self._slots.cells]
        self._terms, self._ahead = terms, ahead
        self._products = np.empty((shape.lanes, shape.gates, shape.units), ahead.dtype)

    def cut(self, step: Step) -> np.ndarray:
        """Return the buffer for the gates of a step's lanes."""
        slots, z = self._slots.cut(step)
        self._z = z[:, :, 0]
        flat, lanes = self._state.reshape(-1), slice(step.first, step.last)
        products = self._products[lanes]
        self._dots = [
            (flat[seen].dot, weights, out.reshape(-1))
            for (seen, weights), out in zip(self._terms[lanes], products, strict=True)
        ]
        self._sums, self._now = products.swapaxes(0, 1), self._ahead[:, :, lanes]
        return slots

    def fill(self, number: int) -> None:
        """Compute x W + h U + b of step `number` into the buffer."""
        for dot, weights, out in self._dots:
            dot(weights, out)
        np.add(self._sums, self._now[number], self._z)


def side_by_side(weights: np.ndarray) -> np.ndarray:
    """Join the gates of weights (..., G, terms, u): (..., terms, G u)."""
    gates, terms, units = weights.shape[-3:]
    joined = np.moveaxis(weights, -3, -2)
    return np.ascontiguousarray(joined).reshape(*weights.shape[:-3], terms, gates * units)


def inputs_ahead(weights: np.ndarray, inputs: Tokens | Features) -> np.ndarray:
    """Return x W + b of all steps of a single sequence: (S, G, D, u).

    Args:
        weights: Array (D, G, F + u + 1, u).
        inputs: Token ids, or features of the steps.
    """
    directions, gates, rows, units = weights.shape
    if isinstance(inputs, Tokens):
        table, ids = inputs
        vocabulary = table.shape[1] // directions
        places = np.stack([row[:, 0] + d * vocabulary for d, row in enumerate(ids)], 1)
        return np.ascontiguousarray(table[:, places].swapaxes(0, 1))
    steps, features = len(inputs.parts[0][0]), rows - units - 1
    ahead = np.empty((steps, gates, directions, units), weights.dtype)
    for lane, (parts, kernel) in enumerate(zip(inputs.parts, weights, strict=True)):
        x = np.concatenate([part[:, 0] for part in parts], axis=-1)
        projected = np.matmul(x, kernel[:, :features]) + kernel[:, -1:]
        ahead[:, :, lane] = projected.swapaxes(0, 1)
    return ahead


class FeatureGates:
    """Gates as one product of rows [x, h, 1] with weights (D, G, F + u + 1, u)."""

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
        """Return the buffer for the gates of the running sequences."""
        count = step.sequences
        slots, z = self._slots.cut(step)
        self._now = [(place[:count], part[:, :count]) for place, part in self._places]
        rows = self._joined[:, None, :count]
        self._product = matmul.cut(rows, self._weights, z.swapaxes(0, 1))
        return slots

    def fill(self, number: int) -> None:
        """Compute x W + h U + b of step `number` into the buffer."""
        for place, part in self._now:
            place[...] = part[number]
        np.matmul(*self._product)
