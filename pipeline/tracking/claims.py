"""The exclusive right to train a job: two sweeps on one store never train the same job at once.

Processes on a local store share a file system and lock a file; those on a server share only the
server.
"""

import time
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager

from pipeline.tracking.file_claims import try_file_claim
from pipeline.tracking.server_claims import try_server_claim
from pipeline.tracking.store import Store

_POLL_SECONDS = 1.0
LONGEST = 32  # characters of a job's identity that are used; enough to be unique


@contextmanager
def claim(store: Store, identity: str, on_wait: Callable[[], None]) -> Iterator[Store]:
    """Hold the exclusive right to train the job of this identity for the duration of a block.

    Args:
        on_wait: called once if another process holds the claim, before waiting for it.

    Yields:
        The store for use in the block: if the claim is lost, every call raises `ClaimLostError`.
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
    """Like `claim`, without waiting; yields None if another process holds the claim."""
    held = _try_claim(store, name)
    if held is None:
        yield None
        return
    with held as guarded:
        yield guarded


def _try_claim(store: Store, name: str) -> AbstractContextManager[Store] | None:
    try_claim = try_server_claim if store.folder is None else try_file_claim
    return try_claim(store, name[:LONGEST])
