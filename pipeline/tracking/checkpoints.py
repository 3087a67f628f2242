"""The states that an interrupted run can go on from, kept among its artifacts while it lasts."""

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
_KEPT = 2  # should the last one be damaged by a power cut, there is the one before


class Checkpoints:
    """Those of one run.

    Args:
        client: of the store.
        run_id: the run.
        local: whether artifacts lie on this machine, where each epoch is kept; on a server it is
            one in ten seconds.
    """

    def __init__(self, client: MlflowClient, run_id: str, local: bool):
        self.client, self.run_id = client, run_id
        self._pause = 0.0 if local else _REMOTE_SECONDS
        self._last = 0.0

    def save(self, epoch: int, state: bytes) -> None:
        """Keep the state after an epoch, and drop older ones."""
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
        """The states that are there; whoever reads them has to see whether they are whole."""
        for path in self._paths():
            with temporary_folder() as folder:
                yield Path(
                    self.client.download_artifacts(self.run_id, path, str(folder))
                ).read_bytes()

    def clear(self) -> None:
        """Drop them all: the run has ended well."""
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
            return  # a store that keeps everything; what is left does no harm
