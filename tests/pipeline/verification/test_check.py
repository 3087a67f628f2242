import io
import json
import shutil
import sys
from zipfile import ZipFile

import h5py
import numpy as np
import pytest
import yaml

from pipeline.reports.run.run_page import write_run_page
from pipeline.tracking import names
from pipeline.tracking.artifacts import digest, local_folder
from pipeline.tracking.store import open_local
from pipeline.verification.check import skip_check, verify_run
from tests.support import archives
from tests.support.fresh_store import stock
from tests.support.my_data import write_data
from tests.support.stored_runs import store_run


@pytest.fixture(scope="module")
def stored(tmp_path_factory, template):
    """A store with one run, and the folder of the run's artifacts."""
    store = open_local(stock(tmp_path_factory.mktemp("stored"), template))
    run = store_run(store)
    return run, local_folder(store.client.get_run(run.run_id).info.artifact_uri)


@pytest.fixture
def spoil(stored, tmp_path):
    """Change a file of the run, and its digest in the manifest with it; all is put back."""
    run, folder = stored
    shutil.copytree(folder, tmp_path / "kept")

    def change(path, content, listed=True):
        file = folder / path
        content(file) if callable(content) else file.write_bytes(content)
        if listed and path != names.MANIFEST:
            digests = json.loads((folder / names.MANIFEST).read_text())
            (folder / names.MANIFEST).write_text(json.dumps({**digests, path: digest(file)}))
        return run

    yield change
    shutil.rmtree(folder)
    shutil.copytree(tmp_path / "kept", folder)


def check(run):
    """The check's outcome; its page is written too, from the same files."""
    parity = verify_run(run, "data")
    write_run_page(run)
    assert "\n" not in parity.reason
    tags = run.client.get_run(run.run_id).data.tags
    assert tags[names.PARITY] == parity.tag
    assert parity.accepted == (parity.tag in ("exact", "unsupported", "off"))
    return parity


def arrays(file, **changes):
    with np.load(file) as kept:
        np.savez(file, **{**kept, **changes})


def test_a_sound_run_is_exact(stored):
    assert check(stored[0]).tag == "exact"


def test_data_that_a_function_returns_differently_are_refused(store, tmp_path, monkeypatch):
    write_data(tmp_path)
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr(sys, "path", [*sys.path])
    run = store_run(store, ("dataset=faulty_data:changing",))
    parity = check(run)
    assert (parity.tag, parity.agreement) == ("stale", None), parity.reason
    assert "the test set of dataset=faulty_data:changing has changed since the run" in parity.reason
    assert parity.reason.endswith("; a function must return the same data each time.")


def test_a_run_whose_settings_skip_the_check_is_neither_proven_nor_failed(stored):
    skipped = skip_check(stored[0])
    assert (skipped.tag, skipped.accepted) == ("off", True)
    assert check(stored[0]).tag == "exact"  # the command checks it all the same


@pytest.mark.parametrize(
    ("parity", "tag"),
    [("required", "failed"), ("optional", "unsupported"), ("off", "unsupported")],
)
def test_a_layer_without_an_equivalent_is_listed(spoil, parity, tag):
    spoil(names.CONFIG, lambda file: set_parity(file, parity))
    found = check(spoil(names.KERAS_MODEL, with_unknown_layers))
    assert found.tag == tag
    assert found.reason.startswith("NumPy's forward pass does not support ")
    assert found.reason.count("'Frank'") == 2


def set_parity(file, parity):
    config = yaml.safe_load(file.read_text())
    file.write_text(yaml.safe_dump(config | {"parity": parity}))


def with_unknown_layers(file):
    with ZipFile(file) as archive:
        members = {name: archive.read(name) for name in archive.namelist()}
    config = json.loads(members["config.json"])
    for layer in config["config"]["layers"][-2:]:
        layer["class_name"] = "Frank"
    with ZipFile(file, "w") as archive:
        for name, content in members.items():
            archive.writestr(name, json.dumps(config) if name == "config.json" else content)


def test_scores_that_are_not_those_of_the_predictions_are_refused(stored):
    run, _ = stored
    logged = run.client.get_run(run.run_id).data.metrics[names.TEST_F1_MACRO]
    run.client.log_metric(run.run_id, names.TEST_F1_MACRO, logged + 0.01)
    try:
        parity = check(run)
    finally:
        run.client.log_metric(run.run_id, names.TEST_F1_MACRO, logged, timestamp=2**42)
    assert parity.tag == "failed"
    assert parity.reason == (
        f"test/f1_macro is logged as {logged + 0.01:.6f}, but the stored predictions give "
        f"{logged:.6f}: scores and predictions are not of the same training."
    )
    assert check(run).tag == "exact"


@pytest.mark.parametrize("value", [np.nan, np.inf])
def test_predictions_that_are_not_finite_never_pass(spoil, value):
    def replaced(file):
        with np.load(file) as kept:
            probabilities = kept["probabilities"].copy()
        probabilities[3] = value
        arrays(file, probabilities=probabilities)

    parity = check(spoil(names.TEST_PREDICTIONS, replaced))
    assert not parity.accepted


@pytest.mark.filterwarnings("ignore:overflow", "ignore:invalid value")
@pytest.mark.parametrize(
    ("value", "tag", "reason"),
    [
        (np.nan, "failed", "holds NaN or infinity."),
        (3e38, "diverged", "our predictions are not finite for 600 of 600 test examples."),
    ],
)
def test_weights_whose_predictions_are_not_finite_never_pass(spoil, value, tag, reason):
    """The stored predictions are finite."""

    def replaced(file):
        with ZipFile(file) as archive:
            members = {name: archive.read(name) for name in archive.namelist()}
        weights = io.BytesIO(members["model.weights.h5"])
        with h5py.File(weights, "r+") as opened:
            opened["layers/dense/vars/0"][...] = value
            opened["layers/embedding/vars/0"][...] = 3.0
        archives.write(file, members | {"model.weights.h5": weights.getvalue()})

    parity = check(spoil(names.KERAS_MODEL, replaced))
    assert parity.tag == tag
    assert parity.reason.endswith(reason)


@pytest.mark.parametrize(
    "content",
    [
        b"",
        b"\x00\xff",
        b"PK\x03\x04",
        lambda file: arrays(file, labels=np.zeros(600, np.int64)),
        lambda file: arrays(file, probabilities=np.zeros((3, 3), np.float32)),
    ],
)
def test_damaged_predictions_are_one_sentence(spoil, content):
    parity = check(spoil(names.TEST_PREDICTIONS, content))
    assert parity.tag == "failed"
    assert parity.reason.startswith("predictions/test.npz ")


@pytest.mark.parametrize(
    "content",
    [
        *(b"[]", b"a: [", b"\xff\xfe\x00", b"!!python/object:os.system {}"),
        *(b"[" * 3000, b"a" * 300_000, b"model: {name: lstm}\ndataset: 3"),
        b"a: &a [x]\nb: [*a, *a]",
    ],
)
def test_a_damaged_configuration_is_one_sentence(spoil, content):
    parity = check(spoil(names.CONFIG, content))
    assert parity.tag == "failed"
    assert parity.reason.startswith("the test set cannot be rebuilt: config/config.yaml ")


@pytest.mark.parametrize("content", [b"", b'{"weights/model.keras": 3}', b"[" * 9999])
def test_a_damaged_manifest_is_one_sentence(spoil, content):
    parity = check(spoil(names.MANIFEST, content))
    assert parity.tag == "failed"
    assert parity.reason.startswith("manifest.json cannot be read: ")


@pytest.mark.parametrize("content", [b"a: [", b"{a: 1}", b"[" * 3000, b"&a [*a]"])
def test_damaged_overrides_stop_no_check(spoil, content):
    assert check(spoil(names.OVERRIDES, content)).tag == "exact"


def test_an_altered_file_is_told(spoil):
    parity = check(spoil("weights/preprocessing.json", b"{}", listed=False))
    assert parity.tag == "failed"
    assert parity.reason.startswith("weights/preprocessing.json is not the file that was stored")


def test_a_run_that_failed_before_its_weights_is_one_sentence(stored):
    client = stored[0].client
    experiment = client.get_run(stored[0].run_id).info.experiment_id
    failed = client.create_run(experiment).info.run_id
    for metric in names.epoch_metrics("accuracy").values():  # as of a fit that diverged
        client.log_metric(failed, metric, float("nan"), step=1)
    client.set_terminated(failed, "FAILED")
    run = type(stored[0])(client, failed)
    parity = check(run)
    assert parity.tag == "failed"
    assert parity.reason.startswith("the run is FAILED, artifacts cannot be downloaded: ")
