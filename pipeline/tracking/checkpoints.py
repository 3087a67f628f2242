"""Checkpoints of an unfinished run, stored among its artifacts for resuming."""

import time
from collections.abc import Iterator
from pathlib import Path

from mlflow import MlflowClient
from mlflow.exceptions import MlflowException
from mlflow.store.artifact.artifact_repository_registry import get_artifact_repository

from pipeline.tracking import names
from pipeline.tracking.attempts import epoch_of
from pipeline.tracking.temporary_folder import temporary_folder

_REMOTE_SECONDS = 10.0  # between two uploads to a server
_KEPT = 2  # the second to last is the fallback if a power failure damages the last


class Checkpoints:
    """The checkpoints of one run.

    Args:
        local: whether artifacts are on this machine. Then every epoch is kept; on a server, at most
            one per ten seconds.
    """

    def __init__(self, client: MlflowClient, run_id: str, local: bool):
        self.client, self.run_id = client, run_id
        self._pause = 0.0 if local else _REMOTE_SECONDS
        self._last = 0.0

    def save(self, epoch: int, state: bytes) -> None:
        """Store the state after an epoch, and remove older ones."""
        if time.monotonic() - self._last < self._pause:
            return
        with temporary_folder() as folder:
            file = folder / f"epoch-{epoch:06}.npz"
            file.write_bytes(state)
            self.client.log_artifact(self.run_id, str(file), names.CHECKPOINTS)
        self._last = time.monotonic()
        for path in self._paths()[_KEPT:]:
            self._delete(path)

    def newest_first(self) -> Iterator[bytes]:
        """Yield the stored states; the caller checks whether they are complete."""
        for path in self._paths():
            with temporary_folder() as folder:
                yield Path(
                    self.client.download_artifacts(self.run_id, path, str(folder))
                ).read_bytes()

    def clear(self) -> None:
        """Remove all checkpoints after the run has succeeded."""
        if self._paths():
            self._delete(names.CHECKPOINTS)

    def _paths(self) -> list[str]:
        listed = self.client.list_artifacts(self.run_id, names.CHECKPOINTS)
        paths = [item.path for item in listed]
        return sorted((path for path in paths if epoch_of([path])), reverse=True)

    def _delete(self, path: str) -> None:
        uri = self.client.get_run(self.run_id).info.artifact_uri
        repository = get_artifact_repository(uri, tracking_uri=self.client.tracking_uri)
        try:
            repository.delete_artifacts(path)
        except (MlflowException, NotImplementedError, OSError):
            return  # a store that cannot delete; what remains does no harm
