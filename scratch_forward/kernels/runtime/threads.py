"""Thread pool for chunks of a batch, with BLAS limited to one thread.

NumPy releases the interpreter lock inside its loops and matrix products, so several chunks are
computed at the same time. The threads of BLAS would split each product instead, and wait for each
other after it.
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
    """Limit BLAS to one thread within the block. The last block to end restores the setting.

    The setting applies to the whole process, so concurrent blocks share it. If the BLAS library is
    unknown, the block has no effect, and results are the same.
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
    """Return the number of cores that this process may use."""
    if hasattr(os, "sched_getaffinity"):
        return len(os.sched_getaffinity(0))
    return os.cpu_count() or 1


@cache
def _pool(workers: int) -> ThreadPoolExecutor:
    from concurrent.futures import ThreadPoolExecutor  # not needed for a single example

    return ThreadPoolExecutor(workers, thread_name_prefix="scratch_forward")


if hasattr(os, "register_at_fork"):  # a forked process has the pool object, but not its threads
    os.register_at_fork(after_in_child=_pool.cache_clear)


def run(
    function: Callable[[Item], Result], items: Sequence[Item], workers: int | None = None
) -> list[Result]:
    """Call `function` on every item, with one thread per core.

    Each thread, including the calling one, takes the next item when it is free. Items may therefore
    differ in cost; put the most expensive first. `function` must not call `run` itself.

    Args:
        workers: Number of threads. Defaults to the number of available cores.

    Returns:
        The results in the order of the items.
    """
    workers = min(workers or available_cores(), len(items))
    left = iter(enumerate(items))  # `next` of an enumeration is atomic
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
    """Split `range(length)` into slices of `size`. The last one may be shorter."""
    bounds = [*range(0, length, size), length]
    return [slice(start, stop) for start, stop in pairwise(bounds)]
