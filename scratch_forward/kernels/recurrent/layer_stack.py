"""Recurrent layers in a stack, run on a part of the batch without computing padding.

The batch is converted to `Ragged` once for all layers. The mask is the same for every layer, and
outputs of masked steps are never read by the next layer.
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
    """A recurrent layer of a stack, or several layers combined to a `Wavefront`."""

    recurrent: Recurrent | Wavefront  # the prepared weights
    merge: Merge = "concat"  # how the outputs of two directions are combined
    backwards: bool = False  # whether a layer of one direction starts at the last step


def join_wavefronts(layers: Sequence[StackLayer]) -> list[StackLayer]:
    """Combine consecutive layers that can be stepped together into one wavefront each."""
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
    """Recurrent layers, each applied to the outputs of the previous one.

    All layers but the last return sequences. Only the last layer may run backwards, and only if it
    returns its last output alone.
    """

    layers: Sequence[StackLayer]
    table: np.ndarray | None  # (G, D V, u): look-up table of the first layer, for token ids
    return_sequences: bool = False
    zero_masked: bool = False  # masked steps give zeros instead of the previous output

    def __call__(
        self,
        x: np.ndarray,
        mask: np.ndarray | None = None,
        workspace: Workspace | None = None,
        lap: Lap = lambda _: None,
    ) -> np.ndarray:
        """Return the outputs of the last layer, (N, u) or (N, T, u).

        If directions are concatenated, the last axis has size 2 u.

        Args:
            x: Token ids in [0, V), (N, T), if there is a table. Otherwise features (N, T, F).
            mask: Boolean array (N, T) of any pattern, or None.
            lap: Called with the number of each layer when it ends.
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
        """Run the last layer and restore its outputs to the order of the batch."""
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
    """An array (S, N, ...) in the order of the input, and the same array reversed in time."""

    forwards: np.ndarray
    backwards: np.ndarray


def _parts(merge: Merge, result: Result, batch: Ragged) -> list[_BothWays]:
    """Return the outputs per direction if they are concatenated, else one merged output."""
    assert result.outputs is not None
    first, *others = result.outputs
    parts = [_BothWays(first, batch.reverse(first))]
    parts += [_BothWays(batch.reverse(other), other) for other in others]
    if merge == "concat" or not others:
        return parts
    merged = _merged(merge, [part.forwards for part in parts])
    return [_BothWays(merged, batch.reverse(merged))]


def _merged(merge: Merge, directions: list[np.ndarray]) -> np.ndarray:
    """Merge the outputs of two directions. The output of a single direction is returned as is."""
    if len(directions) == 1:
        return directions[0]
    forward, backward = directions
    if merge == "concat":
        return np.concatenate([forward, backward], axis=-1)
    if merge == "mul":
        return forward * backward
    total = forward + backward
    return total / 2 if merge == "ave" else total
