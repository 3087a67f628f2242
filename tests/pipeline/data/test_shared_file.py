import numpy as np
import pytest

from pipeline.data import load
from pipeline.data.shared_file import read_shared, write_shared


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
