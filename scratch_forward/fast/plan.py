"""A model made ready to predict, and a data set's way through it.

Chunks of the data set go through all stages, each on one core, with BLAS kept to one thread.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from typing import Any, NamedTuple, Protocol

import numpy as np

from scratch_forward.kernels.runtime.threads import available_cores, run
from scratch_forward.layers.base import Array, Generator, Layer

LARGEST_CHUNK = 256  # examples at once: what one core takes through all stages
LARGEST_INPUT = 1 << 20  # elements of a chunk's inputs, so that memory is bounded for any images
WORTH_A_THREAD = 16  # examples that are, unless a stage says otherwise


class Stage(Protocol):
    """What computes one layer or several: a layer, or what stands for some."""

    def run(
        self, inputs: Any, mask: Any = None, generator: Generator | None = None
    ) -> tuple[Any, Any]:
        """Compute outputs and their mask."""
        ...


def most_worth_a_thread(stages: Iterable[Any]) -> int:
    """Return the number of examples from which all of these stages gain by another thread."""
    return max((getattr(stage, "worth_a_thread", WORTH_A_THREAD) for stage in stages), default=1)


class Plan:
    """The stages of a model, good for as long as its weights are those they were made of.

    Args:
        model: The model, with all its weights.
    """

    def __init__(self, model: Layer) -> None:
        self._weights = [
            (layer.weights, name, array)
            for layer in model.flatten()
            for name, array in layer.weights.items()
        ]
        self._holders = [(layer, layer.weights) for layer in model.flatten()]
        self.stage: Stage = model.fused()
        self.worth_a_thread = most_worth_a_thread([self.stage])

    @property
    def is_current(self) -> bool:
        """Whether every weight is still the array that the stages were made of."""
        return all(layer.weights is weights for layer, weights in self._holders) and all(
            weights.get(name) is array for weights, name, array in self._weights
        )


class Parts(NamedTuple):
    """The rows of each chunk, and what was computed for them."""

    rows: list[slice]
    outputs: list[Any]

    def joined(self) -> Any:
        """Put the outputs back in the order of the examples: one array, or a list or dict."""
        return self._join(self.outputs)

    def _join(self, parts: list[Any]) -> Any:
        first = parts[0]
        if isinstance(first, dict):
            return {key: self._join([part[key] for part in parts]) for key in first}
        if isinstance(first, list | tuple):
            return [self._join(list(items)) for items in zip(*parts, strict=True)]
        if len(parts) == 1:
            return first
        count = sum(map(len, parts))
        joined: Array = np.empty((count, *first.shape[1:]), first.dtype)
        for rows, part in zip(self.rows, parts, strict=True):
            joined[rows] = part
        return joined


def in_order(compute: Callable[[slice], Any], count: int, chunk: int) -> Parts:
    """Compute chunk after chunk, in the order of the examples, on one core."""
    rows = list(_deal(count, chunk, hands=1))
    return Parts(rows, run(compute, rows, workers=1))


def spread(
    compute: Callable[[slice], Any],
    count: int,
    elements: int,
    chunk: int | None = None,
    threads: int | None = None,
    worth_a_thread: int = WORTH_A_THREAD,
) -> Parts:
    """Compute chunks of a data set, a thread per core.

    Args:
        compute: Takes the rows of a chunk.
        count: Number of examples.
        elements: Numbers in the input of one example.
        chunk: Examples in a chunk at most; by what an example takes unless given.
        threads: The available cores unless given.
        worth_a_thread: Examples from which another thread is a gain.
    """
    most = max(LARGEST_CHUNK, 2 * worth_a_thread)
    largest = chunk or max(min(most, LARGEST_INPUT // max(elements, 1)), 1)
    worth = max(count // min(worth_a_thread, largest), 1)
    workers = min(threads or available_cores(), worth)
    rows = list(_deal(count, largest, workers))
    return Parts(rows, run(compute, rows, workers))


def _deal(count: int, chunk: int, hands: int) -> Iterator[slice]:
    """Yield the rows of each chunk, dealt to `hands` workers in turn, a block after the other.

    So the chunks of a block cost about the same even where the examples are sorted by length.
    """
    blocks = -(-count // (chunk * hands))
    for block in range(blocks):
        start, stop = block * count // blocks, (block + 1) * count // blocks
        for hand in range(min(hands, stop - start)):
            yield slice(start + hand, stop, hands)
