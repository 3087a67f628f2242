"""Arrays in a NumPy file: mapped where they lie, unpacked where they are compressed."""

import hashlib
import zipfile

import numpy as np
import pytest

from pipeline.data import DatasetError, large_arrays, load
from pipeline.data.user.npz_file import read_npz

OPTIONS = {"validation_share": 0.1, "split_seed": 0}
RNG = np.random.default_rng(0)
Y = np.arange(40) % 2
ARRAYS = {
    "x_train": RNG.integers(0, 256, (40, 5, 4), np.uint8),
    "y_train": Y,
    "x_test": RNG.integers(0, 256, (10, 5, 4), np.uint8),
    "y_test": Y[:10],
}


@pytest.fixture
def file(tmp_path):
    np.savez(tmp_path / "own.npz", **ARRAYS)
    return tmp_path / "own.npz"


def read(file, **options):
    return load("npz", path=str(file), data_dir=file.parent / "data", **OPTIONS | options)


def test_a_file_with_keras_names_is_a_data_set(file):
    loaded = read(file)
    assert [len(split) for split in loaded.splits.values()] == [36, 4, 10]
    assert (loaded.kind, loaded.classes) == ("image", ("0", "1"))
    np.testing.assert_allclose(loaded.test.inputs[..., 0] * 255, ARRAYS["x_test"], atol=1e-4)
    assert loaded.checksums == {"own.npz": hashlib.sha256(file.read_bytes()).hexdigest()}
    assert loaded.source == "own.npz, divided as given, validation held out of train"
    assert read(file, classes=("no", "yes")).classes == ("no", "yes")


@pytest.mark.parametrize(
    "array",
    [
        RNG.random((7, 3, 2)),
        np.asfortranarray(RNG.random((7, 3))),
        RNG.random((7, 3)).astype(">f4"),
        np.arange(5),
        np.float32(3),
        np.zeros((0, 3)),
    ],
)
def test_arrays_are_read_as_numpy_reads_them(array, tmp_path, monkeypatch):
    monkeypatch.setattr(large_arrays, "AT_ONCE", 16)
    np.savez(tmp_path / "stored.npz", a=array)
    np.savez_compressed(tmp_path / "packed.npz", a=array)
    for name, mapped in (("stored", array.size > 0), ("packed", False)):
        found = read_npz(tmp_path / f"{name}.npz")["a"]
        np.testing.assert_array_equal(found, array)
        assert found.dtype == array.dtype
        assert isinstance(found.base, np.memmap) == mapped


def test_a_large_compressed_array_is_unpacked_to_disk(tmp_path, monkeypatch):
    monkeypatch.setattr(large_arrays, "LARGE", 100)
    array = RNG.random((70, 3))
    np.savez_compressed(tmp_path / "packed.npz", a=array)
    found = read_npz(tmp_path / "packed.npz")["a"]
    np.testing.assert_array_equal(found, array)
    assert isinstance(found.base, np.memmap)


def without(*names):
    return {name: array for name, array in ARRAYS.items() if name not in names}


@pytest.mark.parametrize(
    ("arrays", "sentence"),
    [
        (without("y_test"), "own.npz holds x_train, y_train, x_test: expected x_train, y_train, x"),
        ({**ARRAYS, "x_val": Y}, "holds x_train, y_train, x_test, y_test, x_val: expected"),
        ({**ARRAYS, "y_train": Y[1:]}, "own.npz: train has 40 inputs and 39 labels"),
        ({**ARRAYS, "y_test": np.array([None] * 10)}, "y_test.npy holds Python objects, which"),
    ],
)
def test_another_file_is_one_sentence(arrays, sentence, tmp_path):
    np.savez(tmp_path / "own.npz", **arrays)
    with pytest.raises(DatasetError) as refused:
        read(tmp_path / "own.npz")
    assert sentence in str(refused.value)


@pytest.mark.parametrize("content", [b"", b"no zip", b"PK\x05\x06" + bytes(18)])
def test_a_file_of_another_format_is_one_sentence(content, tmp_path):
    (tmp_path / "own.npz").write_bytes(content)
    with pytest.raises(DatasetError, match=r"own.npz (cannot be read as .npz|holds nothing)"):
        read(tmp_path / "own.npz")


def test_a_truncated_member_is_one_sentence(tmp_path):
    with zipfile.ZipFile(tmp_path / "own.npz", "w") as archive:
        archive.writestr("x_train.npy", b"\x93NUMPY\x01\x00")
    with pytest.raises(DatasetError, match=r"own.npz cannot be read as .npz"):
        read(tmp_path / "own.npz")
