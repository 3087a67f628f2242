import numpy as np
import pytest

from pipeline.data import large_arrays, load, sharing
from pipeline.data.sharing import read_shared, write_shared
from tests.support.plans import plan_of


@pytest.fixture
def settings():
    return plan_of("dataset=reviews").jobs[0].settings


def loaded_in_another_process(settings):
    sharing._load_once.cache_clear()
    return sharing.shared_data(**settings.data)


def test_a_sweeps_processes_share_what_the_first_decoded(settings, tmp_path):
    with sharing.sharing_data(tmp_path):
        first = loaded_in_another_process(settings)
        second = loaded_in_another_process(settings)
    alone = loaded_in_another_process(settings)
    assert isinstance(second.train.inputs, np.memmap)
    assert not isinstance(alone.train.inputs, np.memmap)
    assert first.fingerprints == second.fingerprints == alone.fingerprints


def test_without_room_for_it_each_decodes_for_itself(settings, tmp_path):
    with sharing.sharing_data(tmp_path / "not there"):
        loaded = loaded_in_another_process(settings)
    assert loaded.fingerprints == load(**settings.data).fingerprints


@pytest.mark.parametrize("name", ["digits", "reviews"])
def test_a_shared_data_set_is_the_same_and_mapped(name, tmp_path):
    dataset = load(name, data_dir=tmp_path)
    write_shared(dataset, tmp_path / "a.dataset")
    shared = read_shared(tmp_path / "a.dataset")
    assert shared.fingerprints == dataset.fingerprints
    assert shared.describe() == dataset.describe()
    assert isinstance(shared.train.inputs, np.memmap)
    for name, split in dataset.splits.items():
        assert np.array_equal(shared.splits[name].inputs, split.inputs)
        assert np.array_equal(shared.splits[name].labels, split.labels)
        assert shared.splits[name].texts == split.texts


def test_what_cannot_be_written_leaves_nothing(tmp_path):
    folder = tmp_path / "not there"
    with pytest.raises(OSError, match="not there"):
        write_shared(load("digits", data_dir=tmp_path), folder / "a.dataset")
    assert not folder.exists()


def test_arrays_on_disk_are_shared_alike(tmp_path, monkeypatch):
    monkeypatch.setattr(large_arrays, "LARGE", 100)
    dataset = load("digits", data_dir=tmp_path)
    assert isinstance(dataset.train.inputs, np.memmap)
    write_shared(dataset, tmp_path / "a.dataset")
    shared = read_shared(tmp_path / "a.dataset")
    assert shared.fingerprints == dataset.fingerprints
    assert np.array_equal(shared.train.inputs, dataset.train.inputs)
