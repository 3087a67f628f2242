import json

import pytest

from pipeline.errors import StoreError
from pipeline.tracking.artifacts import digest, local_folder, manifest
from pipeline.verification.weights_download import download_weights
from scratch_forward import ArchiveError
from tests.support.classifiers import PREPROCESSING, write_classifier


@pytest.fixture
def run(store):
    """A run that stored a classifier and a manifest; gives its id and its artifacts' folder."""
    created = store.client.create_run(store.experiment("some").experiment_id)
    folder = local_folder(created.info.artifact_uri)
    (folder / "weights").mkdir(parents=True)
    write_classifier(folder / "weights")
    digests = {f"weights/{file.name}": digest(file) for file in (folder / "weights").iterdir()}
    (folder / "manifest.json").write_text(manifest(digests))
    return created.info.run_id, folder


def test_what_passes_is_there_afterwards(store, run, tmp_path):
    classifier = download_weights(store.client, run[0], tmp_path / "to")
    assert classifier.preprocessing == PREPROCESSING
    assert {file.name for file in (tmp_path / "to/weights").iterdir()} == {
        *("model.keras", "model.card.npz", "preprocessing.json")
    }


@pytest.mark.parametrize("listed", [True, False])
def test_exchanged_class_names_are_refused_and_not_kept(store, run, tmp_path, listed):
    run_id, folder = run
    stored = json.loads((folder / "weights/preprocessing.json").read_text())
    stored["classes"].reverse()
    (folder / "weights/preprocessing.json").write_text(json.dumps(stored))
    if not listed:
        (folder / "manifest.json").unlink()
    told = "weights/preprocessing.json is not the file that was stored" if listed else "class names"
    with pytest.raises(ArchiveError, match=told):
        download_weights(store.client, run_id, tmp_path / "to")
    assert not (tmp_path / "to").exists()


@pytest.mark.parametrize("content", ["", "[]", '{"weights/model.keras": 1}', "[" * 100_000, "\0"])
def test_a_damaged_manifest_is_one_sentence(store, run, tmp_path, content):
    (run[1] / "manifest.json").write_text(content)
    with pytest.raises(ArchiveError, match=r"^manifest.json cannot be read: ") as refusal:
        download_weights(store.client, run[0], tmp_path / "to")
    assert "\n" not in str(refusal.value)


def test_a_run_without_weights_is_one_sentence(store, tmp_path):
    created = store.client.create_run(store.experiment("some").experiment_id)
    store.client.set_terminated(created.info.run_id, "FAILED")
    with pytest.raises(StoreError, match=r"has no weights; it is FAILED\.$"):
        download_weights(store.client, created.info.run_id, tmp_path / "to")
