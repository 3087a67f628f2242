"""Starts or joins a Ray cluster, and says how many jobs its nodes take."""

import logging
import os
import secrets
import tempfile
from collections.abc import Collection, Iterator, Mapping, Sequence
from contextlib import contextmanager, suppress
from typing import Any

import psutil

# Read by Ray: no usage statistics; workers with the same niceness as the command itself.
os.environ.setdefault("RAY_USAGE_STATS_ENABLED", "0")
os.environ.setdefault("RAY_worker_niceness", "0")

import ray

from pipeline.errors import first_line
from pipeline.settings import SettingsError
from pipeline.sweep.needs import Need

_STORE_BYTES = 100 * 2**20  # shared memory for objects; jobs exchange almost none
ENDING_SECONDS = 2.0  # for killed processes to end


@contextmanager
def cluster(address: str | None) -> Iterator[None]:
    """Connect to a Ray cluster for the duration of a block.

    Args:
        address: address of a running cluster; None starts one on this machine, which ends with
            the block.

    Raises:
        SettingsError: when no cluster answers at the address.
    """
    with tempfile.TemporaryDirectory(prefix="ray-", ignore_cleanup_errors=True) as folder:
        if address is None:
            _start(folder)
        else:
            _join(address)
        try:
            yield
        finally:
            _leave()


def _leave() -> None:
    """Disconnect; all processes of a cluster started here end with it, even suspended ones."""
    own = psutil.Process().children(recursive=True)
    ray.shutdown()
    for process in own:
        with suppress(psutil.NoSuchProcess):
            process.kill()
    psutil.wait_procs(own, timeout=ENDING_SECONDS)


def _start(folder: str) -> None:
    # Ray listens on every interface; clients must know this secret.
    os.environ.setdefault("RAY_AUTH_TOKEN", secrets.token_hex(32))
    ray.init(
        include_dashboard=False,
        object_store_memory=_STORE_BYTES,
        logging_level=logging.ERROR,
        log_to_driver=False,
        _temp_dir=folder,
    )


def _join(address: str) -> None:
    try:
        ray.init(address=address, logging_level=logging.ERROR, log_to_driver=False)
    except (ConnectionError, ValueError, RuntimeError) as error:
        fault = f"hydra.launcher.address={address}: no Ray cluster is reached there"
        raise SettingsError([f"{fault}: {first_line(error)}"]) from error


def places(nodes: Sequence[Mapping[str, Any]], need: Need) -> int:
    """Return how many jobs the nodes take at a time.

    Args:
        nodes: as `ray.nodes()` returns them.
    """
    asked = {"CPU": need.cpus, "GPU": need.gpus, "memory": need.memory}
    return sum(
        min(int(node["Resources"].get(key, 0) // count) for key, count in asked.items() if count)
        for node in nodes
        if node["Alive"]
    )


def impossible(nodes: Sequence[Mapping[str, Any]], needs: Collection[Need]) -> list[str]:
    """Return one sentence per need that no node can meet."""
    has = "; ".join(str(_resources(node)) for node in nodes if node["Alive"]) or "none is left"
    return [
        f"resources: a job needs {need}, and no node of the Ray cluster has that ({has})."
        for need in needs
        if not places(nodes, need)
    ]


def _resources(node: Mapping[str, Any]) -> Need:
    has = node["Resources"]
    return Need(*(int(has.get(key, 0)) for key in ("CPU", "GPU", "memory")))
