"""The sole right to train a job: two sweeps on one store never train the same one at once.

A local store's processes share a file system and lock a file; a server's share only the server.
"""

import time
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager

from pipeline.tracking.file_claims import try_file_claim
from pipeline.tracking.server_claims import try_server_claim
from pipeline.tracking.store import Store

_POLL_SECONDS = 1.0
LONGEST = 32  # characters of a job's identity, enough to tell it from any other


@contextmanager
def claim(store: Store, identity: str, on_wait: Callable[[], None]) -> Iterator[Store]:
    """Hold the right to train the job of this identity for the length of a block.

    Args:
        store: where the job is tracked.
        identity: the job's.
        on_wait: called once, if another process holds it; then it is waited for.

    Yields:
        The store for those who hold the right: once it is lost, the store refuses every call with
        a `ClaimLostError`.
    """
    held = _try_claim(store, identity)
    if held is None:
        on_wait()
    while held is None:
        time.sleep(_POLL_SECONDS)
        held = _try_claim(store, identity)
    with held as guarded:
        yield guarded


@contextmanager
def claim_if_free(store: Store, name: str) -> Iterator[Store | None]:
    """The same without waiting: None where another process holds it."""
    held = _try_claim(store, name)
    if held is None:
        yield None
        return
    with held as guarded:
        yield guarded


def _try_claim(store: Store, name: str) -> AbstractContextManager[Store] | None:
    try_claim = try_server_claim if store.folder is None else try_file_claim
    return try_claim(store, name[:LONGEST])
