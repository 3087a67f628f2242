"""The sole right to train a job: two sweeps on one store never train the same one at once.

A local store's processes share a file system, so a lock on a file does it, and is free again
whenever its process ends, however it ends. A server's share only the server: there the claim is a
registered model, of which MLflow creates only one by any name. The claim of a process that died is
not taken away, which two could do at once, but followed by one with the next number.
"""

import re
import time
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager, suppress

from filelock import FileLock, Timeout
from mlflow import MlflowClient
from mlflow.exceptions import MlflowException

from pipeline.tracking import names
from pipeline.tracking.heartbeats import Heartbeat, is_alive, owner_tags
from pipeline.tracking.store import Store

_POLL_SECONDS = 1.0


@contextmanager
def claim(store: Store, identity: str, on_wait: Callable[[], None]) -> Iterator[None]:
    """Hold the right to train the job of this identity for the length of a block.

    Args:
        store: where the job is tracked.
        identity: the job's.
        on_wait: called once, if another process holds it; then it is waited for.
    """
    try_claim = _file_claim(store, identity) if store.folder else _server_claim(store, identity)
    held = try_claim()
    if held is None:
        on_wait()
    while held is None:
        time.sleep(_POLL_SECONDS)
        held = try_claim()
    with held:
        yield


TryClaim = Callable[[], AbstractContextManager[object] | None]


def _file_claim(store: Store, identity: str) -> TryClaim:
    assert store.folder is not None
    folder = store.folder / "locks"
    folder.mkdir(exist_ok=True)

    def try_claim() -> AbstractContextManager[object] | None:
        lock = FileLock(folder / f"{identity[:32]}.lock", blocking=False)
        try:
            return lock.acquire()
        except Timeout:
            return None

    return try_claim


def _server_claim(store: Store, identity: str) -> TryClaim:
    client, prefix = store.client, f"claim-{identity[:32]}-"

    def try_claim() -> AbstractContextManager[object] | None:
        found = list(client.search_registered_models(f"name LIKE '{prefix}%'"))
        if any(is_alive(one.tags) for one in found):
            return None
        number = max((_number(one.name) for one in found), default=0) + 1
        try:
            client.create_registered_model(f"{prefix}{number}", tags=owner_tags())
        except MlflowException as error:
            if error.error_code == "RESOURCE_ALREADY_EXISTS":
                return None
            raise
        return _hold(client, [one.name for one in found], f"{prefix}{number}")

    return try_claim


def _number(name: str) -> int:
    found = re.search(r"-(\d+)$", name)
    return int(found[1]) if found else 0


@contextmanager
def _hold(client: MlflowClient, dead: list[str], own: str) -> Iterator[None]:
    def beat() -> None:
        client.set_registered_model_tag(own, names.HEARTBEAT, owner_tags()[names.HEARTBEAT])

    try:
        with Heartbeat(beat):
            yield
    finally:
        for name in (*dead, own):
            with suppress(MlflowException):  # somebody else has tidied up
                client.delete_registered_model(name)
