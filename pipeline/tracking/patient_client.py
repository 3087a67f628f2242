"""MLflow's client with calls that wait for a store that is temporarily unavailable."""

from collections.abc import Callable
from functools import partial
from pathlib import Path
from typing import Any

from mlflow import MlflowClient
from mlflow.exceptions import MlflowException
from mlflow.protos.databricks_pb2 import RESOURCE_DOES_NOT_EXIST

from pipeline.tracking.artifacts import download
from pipeline.tracking.retries import patiently


class PatientClient:
    """An `MlflowClient` whose methods are called through `patiently`.

    Args:
        guard: called before each method; raises to refuse the call.
    """

    def __init__(self, uri: str, guard: Callable[[], None]):
        self._client, self._guard = MlflowClient(tracking_uri=uri), guard

    def __getattr__(self, name: str) -> Any:
        found = getattr(self._client, name)
        return partial(self._call, found) if callable(found) else found

    def _call(self, method: Callable[..., Any], *arguments: Any, **options: Any) -> Any:
        self._guard()
        return patiently(method, *arguments, **options)

    def log_artifacts(self, run_id: str, local_dir: str, artifact_path: str = "") -> None:
        """Store a folder's files, each with its own retries.

        MLflow starts again from the first file. If every twentieth request fails, it never stores
        the 90 files of a served model.
        """
        files = (path for path in Path(local_dir).rglob("*") if path.is_file())
        for file in sorted(files):
            folder = Path(artifact_path, file.parent.relative_to(local_dir)).as_posix()
            self.log_artifact(run_id, str(file), folder if folder != "." else None)

    def download_artifacts(self, run_id: str, path: str, dst_path: str) -> str:
        """Download an artifact; the parts of a folder that fails are downloaded one by one.

        Raises:
            MlflowException: RESOURCE_DOES_NOT_EXIST when there is none.
        """
        return str(self._call(self._download, run_id, path, dst_path))

    def _download(self, run_id: str, path: str, dst_path: str) -> str:
        try:
            return self._download_once(run_id, path, dst_path)
        except (MlflowException, OSError) as error:
            if not self._is_there(run_id, path):
                message = f"There is no artifact {path}."
                raise MlflowException(message, error_code=RESOURCE_DOES_NOT_EXIST) from error
            parts = self._client.list_artifacts(run_id, path)
            if not parts:  # a file
                raise
            folder = Path(dst_path, Path(path).name)
            for part in parts:
                self.download_artifacts(run_id, part.path, str(folder))
            return str(folder)

    def _download_once(self, run_id: str, path: str, dst_path: str) -> str:
        """Download by URI: given a run id and a path, MLflow takes any failure for a wrong path."""
        if not path:
            return str(self._client.download_artifacts(run_id, path, dst_path))
        uri = self._client.get_run(run_id).info.artifact_uri
        return str(download(self._client, uri, path, Path(dst_path)))

    def _is_there(self, run_id: str, path: str) -> bool:
        parent = path.rpartition("/")[0]
        listed = self._client.list_artifacts(run_id, parent or None)
        return not path or any(item.path == path for item in listed)
