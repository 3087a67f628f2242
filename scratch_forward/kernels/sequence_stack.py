"""Recurrent layers one above the other on one share of a batch, padding left out from end to end.

The batch is laid out as `Ragged` once, for all layers: a mask goes from each layer to the next as
it is, and what a layer gives for a masked step is never read.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal, NamedTuple

import numpy as np

from scratch_forward.kernels.recurrent import (
    Projection,
    Recurrent,
    Result,
    project_features,
    project_tokens,
)
from scratch_forward.kernels.sequences import Ragged
from scratch_forward.kernels.stack import Lap

Merge = Literal["concat", "sum", "mul", "ave"]


class StackLayer(NamedTuple):
    """A recurrent layer of a stack.

    merge: how two directions join; backwards: whether a single direction starts at the last step.
    """

    recurrent: Recurrent
    merge: Merge = "concat"
    backwards: bool = False


@dataclass(frozen=True)
class RecurrentStack:
    """Recurrent layers, each fed the outputs of the one below.

    All but the last give an output for every step; only the last may start at the last step, and
    only if it gives the last output alone.
    """

    layers: Sequence[StackLayer]
    table: np.ndarray | None  # (D, G, V, u), the first layer's look-up table, for token ids
    return_sequences: bool = False
    zero_masked: bool = False  # outputs of masked steps: zeros, or those of the step before

    def __call__(
        self, x: np.ndarray, mask: np.ndarray | None = None, lap: Lap = lambda _: None
    ) -> np.ndarray:
        """Map x to the last layer's outputs, (N, u) or (N, T, u); concatenated directions 2 u.

        x: token ids in [0, V), (N, T), if there is a table; features (N, T, F) otherwise.
        mask: bool (N, T) of any pattern.
        """
        batch = Ragged.of(mask) if mask is not None else Ragged.full(*x.shape[:2])
        x = batch.gather(x)
        for number, layer in enumerate(self.layers[:-1]):
            x = _steps(layer, self._run(number, x, batch, sequences=True), batch)
            lap(number)
        y = self._finish(x, batch)
        lap(len(self.layers) - 1)
        return y

    def _finish(self, x: np.ndarray, batch: Ragged) -> np.ndarray:
        """Run the last layer and put its outputs back into the batch."""
        layer = self.layers[-1]
        result = self._run(len(self.layers) - 1, x, batch, sequences=self.return_sequences)
        if self.return_sequences:
            return batch.scatter(_steps(layer, result, batch), zero_masked=self.zero_masked)
        return batch.restore(_merged(layer.merge, list(result.states[0])))

    def _run(self, number: int, x: np.ndarray, batch: Ragged, sequences: bool) -> Result:
        layer = self.layers[number]
        both = len(layer.recurrent.kernel) == 2
        turned = batch.reverse(x) if both or layer.backwards else x
        ways = [x, turned] if both else [turned]
        project: Projection
        if number == 0 and self.table is not None:
            project = project_tokens(self.table, ways)
        else:
            project = project_features(layer.recurrent, ways)
        return layer.recurrent.run(project, batch, return_sequences=sequences)


def _steps(layer: StackLayer, result: Result, batch: Ragged) -> np.ndarray:
    """Join the directions' outputs of every step, (S, N, u), in the order of the input."""
    assert result.outputs is not None
    first, *others = result.outputs
    return _merged(layer.merge, [first, *(batch.reverse(other) for other in others)])


def _merged(merge: Merge, directions: list[np.ndarray]) -> np.ndarray:
    """Join the outputs of one direction, which stays as it is, or of two."""
    if len(directions) == 1:
        return directions[0]
    forward, backward = directions
    if merge == "concat":
        return np.concatenate([forward, backward], axis=-1)
    if merge == "mul":
        return forward * backward
    total = forward + backward
    return total / 2 if merge == "ave" else total
