"""MLflow's client with calls that wait for a store that is temporarily unavailable."""

from collections.abc import Callable
from functools import partial
from typing import Any

from mlflow import MlflowClient
from mlflow.exceptions import MlflowException
from mlflow.protos.databricks_pb2 import RESOURCE_DOES_NOT_EXIST

from pipeline.tracking.retries import patiently


class PatientClient:
    """An `MlflowClient` whose methods are called through `patiently`.

    Args:
        uri: address of the store.
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

    def download_artifacts(self, run_id: str, path: str, dst_path: str) -> str:
        """Download an artifact.

        Raises:
            MlflowException: RESOURCE_DOES_NOT_EXIST when there is none.
        """
        return str(self._call(self._download, run_id, path, dst_path))

    def _download(self, run_id: str, path: str, dst_path: str) -> str:
        try:
            return str(self._client.download_artifacts(run_id, path, dst_path))
        except MlflowException as error:  # always INTERNAL_ERROR, whatever the cause
            if self._is_there(run_id, path):
                raise
            message = f"There is no artifact {path}."
            raise MlflowException(message, error_code=RESOURCE_DOES_NOT_EXIST) from error

    def _is_there(self, run_id: str, path: str) -> bool:
        parent = path.rpartition("/")[0]
        listed = self._client.list_artifacts(run_id, parent or None)
        return not path or any(item.path == path for item in listed)
