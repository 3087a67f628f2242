"""Recurrent layers one above the other on one share of a batch, padding left out from end to end.

The batch is laid out as `Ragged` once, for all layers: a mask goes from each layer to the next as
it is, and what a layer gives for a masked step is never read.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal, NamedTuple

import numpy as np

from scratch_forward.kernels.convolution.batch_last import Lap
from scratch_forward.kernels.recurrent.gates import Features, Tokens
from scratch_forward.kernels.recurrent.ragged import Ragged
from scratch_forward.kernels.recurrent.recurrence import Recurrent, Result
from scratch_forward.kernels.recurrent.wavefront import Wavefront
from scratch_forward.kernels.runtime.workspace import Workspace

Merge = Literal["concat", "sum", "mul", "ave"]


class StackLayer(NamedTuple):
    """A recurrent layer of a stack, or several that are one `Wavefront`.

    merge: how two directions join; backwards: whether a single direction starts at the last step.
    """

    recurrent: Recurrent | Wavefront
    merge: Merge = "concat"
    backwards: bool = False


def join_wavefronts(layers: Sequence[StackLayer]) -> list[StackLayer]:
    """Make one layer of those in a row that can be stepped together."""
    rows: list[list[Recurrent]] = []
    joined: list[StackLayer] = []
    for layer in layers:
        recurrent = layer.recurrent
        assert isinstance(recurrent, Recurrent)
        if rows and not layer.backwards and Wavefront.joins(rows[-1][-1], recurrent):
            rows[-1].append(recurrent)
            joined[-1] = StackLayer(Wavefront.of(rows[-1]))
        else:
            rows.append([recurrent])
            joined.append(layer)
    return joined


@dataclass(frozen=True)
class RecurrentStack:
    """Recurrent layers, each fed the outputs of the one below.

    All but the last give an output for every step; only the last may start at the last step, and
    only if it gives the last output alone.
    """

    layers: Sequence[StackLayer]
    table: np.ndarray | None  # (G, D V, u), the first layer's look-up table, for token ids
    return_sequences: bool = False
    zero_masked: bool = False  # outputs of masked steps: zeros, or those of the step before

    def __call__(
        self,
        x: np.ndarray,
        mask: np.ndarray | None = None,
        workspace: Workspace | None = None,
        lap: Lap = lambda _: None,
    ) -> np.ndarray:
        """Map x to the last layer's outputs, (N, u) or (N, T, u); concatenated directions 2 u.

        x: token ids in [0, V), (N, T), if there is a table; features (N, T, F) otherwise.
        mask: bool (N, T) of any pattern.
        """
        workspace = workspace or Workspace()
        batch = Ragged.of(mask) if mask is not None else Ragged.full(*x.shape[:2])
        gathered = batch.gather(x)
        parts = [_BothWays(gathered, batch.reverse(gathered))]
        for number, layer in enumerate(self.layers[:-1]):
            result = self._run(number, parts, batch, workspace, sequences=True)
            parts = _parts(layer.merge, result, batch)
            lap(number)
        y = self._finish(parts, batch, workspace)
        lap(len(self.layers) - 1)
        return y

    def _finish(self, parts: list["_BothWays"], batch: Ragged, workspace: Workspace) -> np.ndarray:
        """Run the last layer and put its outputs back into the batch."""
        merge = self.layers[-1].merge
        last = len(self.layers) - 1
        result = self._run(last, parts, batch, workspace, sequences=self.return_sequences)
        if not self.return_sequences:
            return batch.restore(_merged(merge, list(result.states[0])))
        steps = _merged(merge, [part.forwards for part in _parts("concat", result, batch)])
        return batch.scatter(steps, zero_masked=self.zero_masked)

    def _run(
        self,
        number: int,
        parts: list["_BothWays"],
        batch: Ragged,
        workspace: Workspace,
        sequences: bool,
    ) -> Result:
        recurrent, _, backwards = self.layers[number]
        forwards = [[part.forwards for part in parts]]
        turned = [[part.backwards for part in parts]]
        ways = forwards + turned if recurrent.directions == 2 else forwards
        if backwards:
            ways = turned
        inputs: Tokens | Features = Features(ways)
        if number == 0 and self.table is not None:
            inputs = Tokens(self.table, [ids for (ids,) in ways])
        return recurrent.run(inputs, batch, return_sequences=sequences, workspace=workspace)


class _BothWays(NamedTuple):
    """Something for every step, (S, N, ...), in the order of the input and turned around."""

    forwards: np.ndarray
    backwards: np.ndarray


def _parts(merge: Merge, result: Result, batch: Ragged) -> list[_BothWays]:
    """Give the directions' outputs, one beside the other if they are concatenated, else as one."""
    assert result.outputs is not None
    first, *others = result.outputs
    parts = [_BothWays(first, batch.reverse(first))]
    parts += [_BothWays(batch.reverse(other), other) for other in others]
    if merge == "concat" or not others:
        return parts
    merged = _merged(merge, [part.forwards for part in parts])
    return [_BothWays(merged, batch.reverse(merged))]


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
