"""A run's weights brought to this machine, held against its manifest and its parity card."""

import shutil
from pathlib import Path

from mlflow import MlflowClient
from mlflow.exceptions import MlflowException

from pipeline.errors import StoreError
from pipeline.tracking import names
from pipeline.tracking.artifacts import damage
from pipeline.tracking.temporary_folder import temporary_folder
from scratch_forward import ArchiveError, Classifier


def download_weights(client: MlflowClient, run_id: str, to: Path) -> Classifier:
    """Download `weights/` into a folder; nothing that fails a check is left there.

    Args:
        client: of the store.
        run_id: whose weights.
        to: the folder, which is made where it does not exist.

    Raises:
        StoreError: the run has no weights.
        ArchiveError: a file is not the one that was stored, or the model fails its parity card.
    """
    with temporary_folder() as folder:
        if not _download(client, run_id, names.WEIGHTS, folder):
            status = client.get_run(run_id).info.status
            raise StoreError(f"run_id={run_id} has no weights; it is {status}.")
        if _download(client, run_id, names.MANIFEST, folder) and (
            faults := damage(folder, (names.WEIGHTS,))
        ):
            raise ArchiveError(" ".join(faults))
        classifier = Classifier.load(folder / names.WEIGHTS, verify=True)
        to.mkdir(parents=True, exist_ok=True)
        shutil.copytree(folder / names.WEIGHTS, to / names.WEIGHTS)
    return classifier


def _download(client: MlflowClient, run_id: str, path: str, folder: Path) -> bool:
    """Download a file or folder of a run's artifacts; says whether there is one."""
    try:
        client.download_artifacts(run_id, path, str(folder))
    except (MlflowException, OSError):
        return False
    return (folder / path).exists()
