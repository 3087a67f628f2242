"""A model prepared for prediction, and the distribution of a data set over threads.

Each chunk of the data set passes through all stages on one core, with BLAS limited to one thread.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Iterable, Iterator
from typing import Any, NamedTuple, Protocol

import numpy as np

from scratch_forward.kernels.runtime.threads import available_cores, run
from scratch_forward.kernels.runtime.turns import Turns
from scratch_forward.kernels.runtime.workspace import keep_freed_memory
from scratch_forward.layers.base import Array, Generator, Layer
from scratch_forward.layers.core import Dense, InputLayer
from scratch_forward.layers.reshaping import Flatten

LARGEST_CHUNK = 256  # examples that one core takes through all stages at once
LARGEST_INPUT = 1 << 20  # elements of a chunk's inputs; bounds the memory for large images
# Elements of a layer's output that stay in cache: 256 KiB. From 512 KiB on, new arrays are mapped
# from the system each time, which doubled the time of an MLP.
IN_CACHE = 1 << 16
LARGEST_OF_ROWS = 8192  # examples of a chunk if they are small, such as the rows of a table
WORTH_A_THREAD = 16  # examples that justify another thread, unless a stage has its own value
# Threads by default, unless a stage has its own value. An MLP took 4.9 ms on one thread, 2.8 on
# four, and 9.0 on 16 of 16 cores; a transformer 121, 50 and 79.
MOST_THREADS = 4

# Types of layers that make no array of the chunk's size. Derived ones, such as quantized ones, do.
_IN_BLOCKS = (InputLayer, Flatten, Dense)


class Stage(Protocol):
    """A layer, or an object that computes one or several layers in its place."""

    def run(
        self, inputs: Any, mask: Any = None, generator: Generator | None = None
    ) -> tuple[Any, Any]:
        """Compute outputs and their mask."""
        ...


def most_threads(stages: Iterable[Any]) -> int:
    """Return the largest number of threads that is faster than fewer, for any of these stages."""
    return max((getattr(stage, "most_threads", MOST_THREADS) for stage in stages), default=1)


def most_worth_a_thread(stages: Iterable[Any]) -> int:
    """Return the number of examples from which another thread pays off for all of these stages."""
    return max((getattr(stage, "worth_a_thread", WORTH_A_THREAD) for stage in stages), default=1)


class Plan:
    """The stages of a model. They are valid as long as the model's weights do not change."""

    def __init__(self, model: Layer) -> None:
        self._weights = [
            (layer.weights, name, array)
            for layer in model.flatten()
            for name, array in layer.weights.items()
        ]
        self._holders = [(layer, layer.weights) for layer in model.flatten()]
        self.stage: Stage = model.fused()
        self.worth_a_thread = most_worth_a_thread([self.stage])
        self.most_threads = most_threads([self.stage])
        self.chunk = _chunk_in_cache(model)
        self.turns = Turns()
        keep_freed_memory()

    @property
    def is_current(self) -> bool:
        """Whether every weight is still the array from which the stages were made."""
        return all(layer.weights is weights for layer, weights in self._holders) and all(
            weights.get(name) is array for weights, name, array in self._weights
        )

    def threads_for(self, count: int) -> int:
        """Return the number of threads for so many examples.

        After each call of NumPy, a thread waits for the interpreter lock, and the longer, the more
        threads there are. With T threads, each therefore has to have T - 1 times as many examples
        as make a second thread worthwhile.
        """
        worth = count / self.worth_a_thread
        paying = int((1 + math.sqrt(1 + 4 * worth)) / 2)  # the largest T with T (T - 1) <= worth
        return min(available_cores(), self.most_threads, paying)


def _chunk_in_cache(model: Layer) -> int:
    """Return the number of examples whose outputs of a layer stay in cache.

    Convolutions and recurrent layers take large chunks, because their stages use buffers of their
    own, or because a step should be long. Dense layers are computed in blocks of rows, and only the
    outputs of the model count.
    """
    layers = list(model.flatten())
    if any(layer.large_chunks for layer in layers):
        return LARGEST_CHUNK
    shapes = [layer.output_shape for layer in layers if type(layer) not in _IN_BLOCKS]
    known = [shape for shape in [*shapes, model.output_shape] if isinstance(shape, tuple)]
    sizes = [math.prod(shape[1:]) for shape in known if None not in shape[1:]]
    return min(max(IN_CACHE // max(sizes, default=1), WORTH_A_THREAD), LARGEST_OF_ROWS)


class Parts(NamedTuple):
    """The rows of each chunk and the outputs computed for them."""

    rows: list[slice]
    outputs: list[Any]

    def joined(self) -> Any:
        """Join the outputs in the order of the examples: an array, or a list or dict of arrays."""
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
    """Compute one chunk after another, in the order of the examples, on one core."""
    rows = list(_deal(count, chunk, hands=1))
    return Parts(rows, run(compute, rows, workers=1))


def spread(
    compute: Callable[[slice], Any],
    count: int,
    elements: int,
    chunk: int | None = None,
    threads: int | None = None,
    worth_a_thread: int = WORTH_A_THREAD,
    most: int = LARGEST_CHUNK,
    turns: Turns | None = None,
) -> Parts:
    """Compute chunks of a data set, with one thread per core.

    Args:
        compute: Function of the rows of a chunk, given as a slice.
        elements: Number of elements in the input of one example.
        chunk: Largest number of examples per chunk. By default it depends on `elements`.
        threads: Number of threads. Defaults to the number of available cores.
        worth_a_thread: Number of examples from which another thread pays off.
        most: Largest number of examples per chunk by default.
        turns: Turns of calls that take one thread.
    """
    most = max(most, 2 * worth_a_thread)
    largest = chunk or max(min(most, LARGEST_INPUT // max(elements, 1)), 1)
    worth = max(count // min(worth_a_thread, largest), 1)
    workers = min(threads or available_cores(), worth)
    rows = list(_deal(count, largest, workers))
    if turns and workers == 1:
        return Parts(rows, turns.call(lambda: run(compute, rows, workers), count))
    return Parts(rows, run(compute, rows, workers))


def _deal(count: int, chunk: int, hands: int) -> Iterator[slice]:
    """Yield the rows of each chunk. The rows of a block are dealt to `hands` workers in turn.

    The chunks of a block then have similar cost even if the examples are sorted by length.
    """
    blocks = -(-count // (chunk * hands))
    for block in range(blocks):
        start, stop = block * count // blocks, (block + 1) * count // blocks
        for hand in range(min(hands, stop - start)):
            yield slice(start + hand, stop, hands)
