"""A stack of cells, used as one cell."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from scratch_forward.errors import InvalidOption
from scratch_forward.layers.base import Array, Generator, Layer, Shape, numbered
from scratch_forward.layers.recurrent.cell import Cell, States, step_once
from scratch_forward.layers.recurrent.dropout_masks import NOTHING_DROPPED, DropoutMasks


class StackedRNNCells(Layer):
    """Runs several cells within each step. The output of a cell is the input of the next.

    Shapes: x `(N, features)` to the output of the last cell, `(N, units)`. The states are those of
    all cells in order.

    Source: `keras.layers.StackedRNNCells` of Keras 3.

    Args:
        cells: The cells, from first to last.
    """

    def __init__(self, cells: Sequence[Any], name: str | None = None) -> None:
        super().__init__(name)
        if not cells or not all(isinstance(cell, Cell) for cell in cells):
            raise InvalidOption("cells", cells, "a list of SimpleRNNCell, LSTMCell or GRUCell")
        self.cells: list[Cell] = list(cells)

    @property
    def output_size(self) -> int:
        """Size of the last cell's output."""
        return self.cells[-1].units

    @property
    def state_count(self) -> int:
        """Total number of states of all cells."""
        return sum(cell.state_count for cell in self.cells)

    @property
    def output_index(self) -> int:
        """Index of the state that is the output: the first state of the last cell."""
        return self.state_count - self.cells[-1].state_count

    def children(self) -> dict[str, Layer]:
        """Return the cells, keyed by their path in a weights file."""
        names = numbered(self.cells)
        return {f"cells/{name}": cell for name, cell in zip(names, self.cells, strict=True)}

    def build_children(self, input_shape: Shape) -> None:
        """Build each cell for the output shape of the previous one."""
        for cell in self.cells:
            cell.build(input_shape)
            input_shape = cell.compute_output_shape(input_shape)

    def compute_output_shape(self, input_shape: Shape) -> Shape:
        """Return the shape of the last cell's output."""
        return (input_shape[0], self.output_size)

    def get_initial_state(self, batch_size: int) -> States:
        """Return zero states of all cells, in order."""
        return [state for cell in self.cells for state in cell.get_initial_state(batch_size)]

    def draw_masks(self, batch: int, features: int, generator: Generator) -> list[DropoutMasks]:
        """Draw dropout masks for each cell."""
        sizes = [features, *(cell.units for cell in self.cells[:-1])]
        return [
            cell.draw_masks(batch, size, generator)
            for cell, size in zip(self.cells, sizes, strict=True)
        ]

    def project(self, inputs: Array, masks: Sequence[DropoutMasks] = ()) -> Array:
        """Project the inputs for the first cell. Other inputs are known only in each step."""
        return self.cells[0].project(inputs, masks[0] if masks else NOTHING_DROPPED)

    def advance(
        self, projected: Array, states: States, masks: Sequence[DropoutMasks] = ()
    ) -> States:
        """Compute the next states of all cells, in order."""
        after: States = []
        step: States = []
        for index, cell in enumerate(self.cells):
            dropped = masks[index] if masks else NOTHING_DROPPED
            if index:
                projected = cell.project(step[0], dropped)
            before, states = states[: cell.state_count], states[cell.state_count :]
            step = cell.advance(projected, before, dropped)
            after += step
        return after

    def __call__(self, inputs: Any, states: Any = None) -> tuple[Array, States]:  # type: ignore[override]
        """Compute one step. Returns the output of the last cell and the states of all cells."""
        return step_once(self, inputs, states)
