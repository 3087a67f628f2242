"""A thread per core over chunks of the batch, with BLAS kept to one thread meanwhile.

NumPy releases the interpreter lock inside its loops and matrix products, so chunks of a batch run
at the same time. BLAS's own threads split each product instead, and wait for each other after it.
"""

from __future__ import annotations

import os
import threading
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from functools import cache
from itertools import pairwise
from typing import TYPE_CHECKING, TypeVar

from scratch_forward.kernels.runtime.blas import blas

if TYPE_CHECKING:
    from concurrent.futures import ThreadPoolExecutor

Item = TypeVar("Item")
Result = TypeVar("Result")


_lock = threading.Lock()
_holders = 0
_before = 1


@contextmanager
def one_blas_thread() -> Iterator[None]:
    """Keep BLAS at one thread inside the block; the last block to end restores what was before.

    The setting belongs to the process, so blocks of several threads share it. With a BLAS that is
    not known the block changes nothing, and results are the same.
    """
    _hold(+1)
    try:
        yield
    finally:
        _hold(-1)


def _hold(change: int) -> None:
    global _holders, _before
    library = blas()
    if library is None:
        return
    with _lock:
        if _holders == 0:
            _before = library.get_threads()
            library.set_threads(1)
        _holders += change
        if _holders == 0:
            library.set_threads(_before)


def available_cores() -> int:
    """Count the cores that this process may use."""
    if hasattr(os, "sched_getaffinity"):
        return len(os.sched_getaffinity(0))
    return os.cpu_count() or 1


@cache
def _pool(workers: int) -> ThreadPoolExecutor:
    from concurrent.futures import ThreadPoolExecutor  # a single example needs no threads

    return ThreadPoolExecutor(workers, thread_name_prefix="scratch_forward")


if hasattr(os, "register_at_fork"):  # a forked child has the pool's object but not its threads
    os.register_at_fork(after_in_child=_pool.cache_clear)


def run(
    function: Callable[[Item], Result], items: Sequence[Item], workers: int | None = None
) -> list[Result]:
    """Call `function` on every item, a thread per core; results in the order of the items.

    Threads, the calling one among them, take the next item when they are free, so items may differ
    in cost (put the dearest first). `function` must not call `run` itself. `workers` defaults to
    the cores available.
    """
    workers = min(workers or available_cores(), len(items))
    left = iter(enumerate(items))  # taking the next of an enumeration is atomic
    results: dict[int, Result] = {}

    def work() -> None:
        for number, item in left:
            results[number] = function(item)

    with one_blas_thread():
        others = [_pool(workers - 1).submit(work) for _ in range(workers - 1)]
        try:
            work()
        finally:
            errors = [other.exception() for other in others]  # waits for them
    for error in filter(None, errors):
        raise error
    return [results[number] for number in range(len(items))]


def slices(length: int, size: int) -> list[slice]:
    """Cut `range(length)` into slices of `size`; the last one is what remains."""
    bounds = [*range(0, length, size), length]
    return [slice(start, stop) for start, stop in pairwise(bounds)]
