"""Claims on a server: registered models, whose names MLflow keeps unique.

The claim of a dead process is not taken over, which two processes could do at once, but superseded
by a claim with the next number. A process that was only suspended (a machine frozen for minutes)
finds its claim gone or superseded, and writes nothing more. A process renews its sign of life
before it looks for a rival, and a rival checks for signs of life after it has made its claim, so
whichever is later sees the other.
"""

import re
import threading
import time
from collections.abc import Iterator
from contextlib import AbstractContextManager, contextmanager, suppress
from dataclasses import replace

from mlflow import MlflowClient
from mlflow.entities.model_registry import RegisteredModel
from mlflow.exceptions import MlflowException

from pipeline.errors import ClaimLostError, StoreError
from pipeline.tracking import names
from pipeline.tracking.heartbeats import beating, is_alive, owner, owner_tags
from pipeline.tracking.store import Store

TRUSTED_SECONDS = 10.0  # age after which a claim is confirmed before the next write


def try_server_claim(store: Store, name: str) -> AbstractContextManager[Store] | None:
    """Return the claim of this name for this process; None if another process holds it.

    If this process made the claim and the reply was lost, it holds the claim.
    """
    claims = _Claims(store.client, f"claim-{name}-")
    found = claims.listed()
    if not any(map(_is_ours, found)):
        if any(is_alive(one.tags) for one in found):
            return None
        claims.add(max((_number(one.name) for one in found), default=0) + 1)
        found = claims.listed()
    ours = [one.name for one in found if _is_ours(one)]
    others = [one for one in found if not _is_ours(one)]
    rivals = any(is_alive(one.tags) for one in others)
    claims.drop(ours if rivals else [one.name for one in others])
    return None if rivals or not ours else _held(store, _Lease(claims, ours[0]))


def drop_dead_claims(store: Store, name: str) -> None:
    """Remove the claims of this name whose processes have died."""
    claims = _Claims(store.client, f"claim-{name}-")
    claims.drop([one.name for one in claims.listed() if not is_alive(one.tags)])


class _Claims:
    """The claims on one job."""

    def __init__(self, client: MlflowClient, prefix: str):
        self._client, self._prefix = client, prefix

    def listed(self) -> list[RegisteredModel]:
        return list(self._client.search_registered_models(f"name LIKE '{self._prefix}%'"))

    def add(self, number: int) -> None:
        with _tolerating("RESOURCE_ALREADY_EXISTS"):  # another process's, or ours: checked below
            self._client.create_registered_model(f"{self._prefix}{number}", tags=owner_tags())

    def drop(self, models: list[str]) -> None:
        for name in models:
            with suppress(MlflowException):  # another process has already removed it
                self._client.delete_registered_model(name)

    def show_life(self, name: str) -> None:
        with _tolerating("RESOURCE_DOES_NOT_EXIST"):
            beat = owner_tags()[names.HEARTBEAT]
            self._client.set_registered_model_tag(name, names.HEARTBEAT, beat)


class _Lease:
    """A claim that is held until it is found to be lost."""

    def __init__(self, claims: _Claims, name: str):
        self._claims, self._name = claims, name
        self._lost = False
        self._confirmed = _now()
        self._lock = threading.Lock()

    def confirm(self) -> None:
        """Renew the sign of life, then check that the claim is still held.

        Raises:
            ClaimLostError: when it is lost.
        """
        with self._lock:
            if not self._lost:
                self._claims.show_life(self._name)
                found = self._claims.listed()
                ours = [one.name for one in found if _is_ours(one)]
                rivals = any(is_alive(one.tags) for one in found if not _is_ours(one))
                self._lost = rivals or self._name not in ours
                self._confirmed = _now()
        if self._lost:
            raise ClaimLostError

    def guard(self) -> None:
        """Confirm the claim if a confirmation is due.

        Raises:
            ClaimLostError: when it is lost.
        """
        since = (now - then for now, then in zip(_now(), self._confirmed, strict=True))
        if self._lost or max(map(abs, since)) > TRUSTED_SECONDS:
            self.confirm()

    def release(self) -> None:
        """Remove the claim, unless it now belongs to another process."""
        with suppress(MlflowException, StoreError):  # it expires with this process anyway
            self._claims.drop([one.name for one in self._claims.listed() if _is_ours(one)])


@contextmanager
def _held(store: Store, lease: _Lease) -> Iterator[Store]:
    try:
        with beating(lease.confirm):
            yield replace(store, guard=lease.guard)
    finally:
        lease.release()


def _now() -> tuple[float, float]:
    """Return a clock that runs during sleep, and the wall clock, which is set after a freeze."""
    boot = getattr(time, "CLOCK_BOOTTIME", None)
    return time.monotonic() if boot is None else time.clock_gettime(boot), time.time()


@contextmanager
def _tolerating(error_code: str) -> Iterator[None]:
    try:
        yield
    except MlflowException as error:
        if error.error_code != error_code:
            raise


def _is_ours(model: RegisteredModel) -> bool:
    return bool(model.tags.get(names.OWNER) == owner())


def _number(name: str) -> int:
    found = re.search(r"-(\d+)$", name)
    return int(found[1]) if found else 0
