"""Downloads a run's weights, and verifies them against its manifest and parity card."""

import shutil
from pathlib import Path

from mlflow import MlflowClient

from pipeline.errors import StoreError
from pipeline.tracking import names
from pipeline.tracking.artifacts import damage, download_if_there
from pipeline.tracking.temporary_folder import temporary_folder
from scratch_forward import ArchiveError, Classifier


def download_weights(client: MlflowClient, run_id: str, to: Path) -> Classifier:
    """Download `weights/` into a folder; files that fail a check are deleted again.

    Args:
        to: the folder, created if needed.

    Raises:
        StoreError: when the run has no weights.
        ArchiveError: when a file differs from the stored one, or the model fails its parity card.
    """
    with temporary_folder() as folder:
        if download_if_there(client, run_id, names.WEIGHTS, folder) is None:
            status = client.get_run(run_id).info.status
            raise StoreError(f"run_id={run_id} has no weights; it is {status}.")
        listed = download_if_there(client, run_id, names.MANIFEST, folder)
        if listed and (faults := damage(folder, (names.WEIGHTS,))):
            raise ArchiveError(" ".join(faults))
        classifier = Classifier.load(folder / names.WEIGHTS, verify=True)
        to.mkdir(parents=True, exist_ok=True)
        shutil.copytree(folder / names.WEIGHTS, to / names.WEIGHTS)
    return classifier
