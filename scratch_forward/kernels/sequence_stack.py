"""An embedding and the recurrent layers above it, over a whole batch of token sequences.

Each thread takes a share of the sequences through all layers. Shares are dealt from the sequences
in order of length, so they cost the same; one that is too small to keep two threads apart (see
`direct.BLOCK`) is not made.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Self

import numpy as np

from scratch_forward.kernels.recurrent import (
    Projection,
    Recurrent,
    project_features,
    project_tokens,
)
from scratch_forward.kernels.sequences import Ragged
from scratch_forward.kernels.threads import available_cores, run

SHARE = 1 << 14  # elements per step (directions, gates, columns, units) worth a thread of its own


@dataclass(frozen=True)
class RecurrentStack:
    """Recurrent layers straight after an Embedding, the first one's projection looked up."""

    layers: tuple[Recurrent, ...]
    table: np.ndarray  # (D, G, V, u)

    @classmethod
    def prepare(cls, embeddings: np.ndarray, layers: Sequence[Recurrent]) -> Self:
        """Multiply embeddings (V, features) by the first layer's kernel."""
        return cls(tuple(layers), layers[0].look_up_table(embeddings))

    def __call__(
        self, tokens: np.ndarray, mask: np.ndarray | None = None, workers: int | None = None
    ) -> np.ndarray:
        """Return the last layer's last outputs, directions side by side: (N, D u).

        tokens: int (N, T), ids in [-V, V), negative ones counted from the end as NumPy does;
        mask: bool (N, T) of any pattern. Raises IndexError for any other id.
        """
        vocabulary = self.table.shape[2]
        if tokens.size and not -vocabulary <= tokens.min() <= tokens.max() < vocabulary:
            raise IndexError(f"Expected token ids below {vocabulary}, got {tokens.max()}.")
        tokens = np.where(tokens < 0, tokens + vocabulary, tokens)
        mask = np.ones(tokens.shape, bool) if mask is None else mask
        shares = self._deal(mask, workers or available_cores())
        parts = run(lambda rows: self._forward(tokens[rows], mask[rows]), shares, workers)
        out = np.empty((len(tokens), parts[0].shape[1]), parts[0].dtype)
        for rows, part in zip(shares, parts, strict=True):
            out[rows] = part
        return out

    def _deal(self, mask: np.ndarray, workers: int) -> list[np.ndarray]:
        """Return the rows of each share."""
        directions, gates, _, units = self.table.shape
        count = min(workers, max(len(mask) * directions * gates * units // SHARE, 1))
        by_length = np.argsort(-mask.sum(axis=1), kind="stable")
        return [by_length[first::count] for first in range(count)]

    def _forward(self, tokens: np.ndarray, mask: np.ndarray) -> np.ndarray:
        """Run one share: (n, T) to (n, D u)."""
        batch = Ragged.of(mask)
        project = project_tokens(self.table, self._both_ways(batch.gather(tokens), batch))
        *lower, last = self.layers
        for layer, above in zip(lower, self.layers[1:], strict=True):
            project = self._pass_on(layer, above, project, batch)
        states = last.run(project, batch, return_sequences=False).states
        return np.concatenate(list(batch.restore(states[0])), axis=-1)

    def _pass_on(
        self, layer: Recurrent, above: Recurrent, project: Projection, batch: Ragged
    ) -> Projection:
        outputs = layer.run(project, batch, return_sequences=True).outputs
        assert outputs is not None
        joined = outputs[0]
        if len(outputs) == 2:
            joined = np.concatenate([outputs[0], batch.reverse(outputs[1])], axis=-1)
        return project_features(above, self._both_ways(joined, batch))

    def _both_ways(self, x: np.ndarray, batch: Ragged) -> list[np.ndarray]:
        """Return x (S, n, ...) for each direction, in its order of processing."""
        return [x] if len(self.table) == 1 else [x, batch.reverse(x)]
