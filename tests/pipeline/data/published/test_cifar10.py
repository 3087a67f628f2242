import hashlib
import threading

import numpy as np
import pytest

from pipeline.data import DatasetError, load
from pipeline.data.published import cifar10
from pipeline.data.published.download import Remote
from tests.support.archive_of import archive_of

ADDRESS = "/cifar-10-binary.tar.gz"


def publish(server, content):
    server.files[ADDRESS] = content
    return Remote(server.address + ADDRESS, hashlib.sha256(content).hexdigest())


@pytest.fixture
def archive(server, cifar_files):
    return publish(
        server, archive_of({f"{cifar10.FOLDER}/{n}": data for n, data in cifar_files.items()})
    )


def everything_under(folder):
    return sorted(path.name for path in folder.rglob("*") if path.suffix != ".lock")


def test_downloads_unpacks_and_remembers_that_it_is_verified(
    server, archive, cifar_files, tmp_path
):
    source = cifar10.read(tmp_path, archive)
    assert source.origin.startswith("official binary archive, checksum verified")
    again = cifar10.read(tmp_path, archive)
    assert again.origin == source.origin
    assert server.requests == [ADDRESS]
    expected = [cifar10.FOLDER, cifar10.STAMP_FILE, *cifar_files]
    assert everything_under(tmp_path) == sorted(expected)


def test_a_file_changed_after_the_download_is_no_longer_verified(archive, tmp_path):
    cifar10.read(tmp_path, archive)
    batch = tmp_path / cifar10.FOLDER / "data_batch_2.bin"
    batch.write_bytes(batch.read_bytes()[:-1] + b"!")
    assert cifar10.read(tmp_path, archive).origin.startswith("laid out by hand")


@pytest.mark.parametrize("stamp", ["", "[]", "{}", '{"archive_sha256": 1, "files": []}'])
def test_a_damaged_stamp_verifies_nothing(stamp, cifar_files, lay_out):
    files = {**cifar_files, cifar10.STAMP_FILE: stamp.encode()}
    source = cifar10.read(lay_out(cifar10.FOLDER, files))
    assert source.origin.startswith("laid out by hand")


def test_images_and_labels_are_those_of_the_records(cifar_files, lay_out):
    loaded = load("cifar10", data_dir=lay_out(cifar10.FOLDER, cifar_files))
    records = np.frombuffer(cifar_files[cifar10.TEST_FILE], np.uint8).reshape(40, 3073)
    assert loaded.test.labels.tolist() == records[:, 0].tolist()
    inputs = loaded.test.inputs
    assert inputs.shape == (40, 32, 32, 3)
    assert inputs.dtype == np.float32
    for example, row, column, colour in [(0, 0, 0, 0), (7, 3, 30, 1), (39, 31, 31, 2)]:
        raw = records[example, 1 + 1024 * colour + 32 * row + column]
        assert inputs[example, row, column, colour] == pytest.approx(raw / 255, rel=1e-6)
    assert inputs.min() == 0.0
    assert inputs.max() == 1.0


def test_validation_is_a_stratified_tenth_of_training(cifar_files, lay_out):
    source = cifar10.read(lay_out(cifar10.FOLDER, cifar_files))
    assert np.bincount(source.validation.labels).tolist() == [2] * 10
    assert np.bincount(source.train.labels).tolist() == [18] * 10
    pixels = {
        image.tobytes() for part in (source.train, source.validation) for image in part.images
    }
    assert len(pixels) == 200


def test_files_laid_out_by_hand_are_used_and_said(cifar_files, lay_out):
    loaded = load("cifar10", data_dir=lay_out(cifar10.FOLDER, cifar_files), train_size=50)
    assert len(loaded.train) == 50
    assert "laid out by hand, not checked against the official archive" in loaded.describe()
    assert "instead of 10,000 images data_batch_1.bin has 40" in loaded.describe()
    test_file = cifar_files[cifar10.TEST_FILE]
    own = loaded.checksums[f"{cifar10.FOLDER}/{cifar10.TEST_FILE}"]
    assert own == hashlib.sha256(test_file).hexdigest()
    listing = "".join(
        f"{hashlib.sha256(cifar_files[name]).hexdigest()}  {name}\n"
        for name in (*cifar10.TRAIN_FILES, cifar10.TEST_FILE)
    )
    assert hashlib.sha256(listing.encode()).hexdigest()[:12] in loaded.source


def test_class_names_may_be_left_out(cifar_files, lay_out):
    files = {name: data for name, data in cifar_files.items() if name.endswith(".bin")}
    assert len(cifar10.read(lay_out(cifar10.FOLDER, files)).test.labels) == 40


@pytest.mark.parametrize(
    ("file", "damage", "told"),
    [
        (
            "data_batch_3.bin",
            lambda data: data[:-1],
            "data_batch_3.bin .*record 40 has 3,072 of 3,073",
        ),
        ("test_batch.bin", lambda _: b"", "test_batch.bin is truncated .*record 1 has 0 of 3,073"),
        (
            "data_batch_1.bin",
            lambda data: data[: 2 * 3073] + b"\x0a" + data[2 * 3073 + 1 :],
            r"data_batch_1.bin .*record 3 \(byte 6,146\) has the label 10, expected 0 to 9",
        ),
        ("batches.meta.txt", lambda data: data.replace(b"cat", b"cow"), "batches.meta.txt .* cow,"),
    ],
)
def test_malformed_files_are_refused_with_their_place(file, damage, told, cifar_files, lay_out):
    damaged = {**cifar_files, file: damage(cifar_files[file])}
    with pytest.raises(DatasetError, match=told):
        cifar10.read(lay_out(cifar10.FOLDER, damaged))


def test_an_incomplete_folder_is_told_and_left_alone(server, archive, cifar_files, lay_out):
    files = {name: data for name, data in cifar_files.items() if name != "data_batch_4.bin"}
    with pytest.raises(DatasetError, match=r"incomplete, data_batch_4.bin is missing in"):
        cifar10.read(lay_out(cifar10.FOLDER, files), archive)
    assert server.requests == []


def test_an_archive_with_another_checksum_is_refused_and_removed(server, archive, tmp_path):
    server.files[ADDRESS] += b"!"
    with pytest.raises(DatasetError, match=f"refused and removed.* instead of {archive.sha256}"):
        cifar10.read(tmp_path, archive)
    assert everything_under(tmp_path) == []


def test_an_archive_cut_short_is_refused_and_removed(server, archive, tmp_path):
    server.cut_short.add(ADDRESS)
    with pytest.raises(DatasetError, match=r"\(the connection broke off\)"):
        cifar10.read(tmp_path, archive)
    assert everything_under(tmp_path) == []


def test_offline_is_told(nobody_listening, tmp_path):
    archive = Remote(nobody_listening + ADDRESS, "0" * 64)
    with pytest.raises(
        DatasetError, match=r"\(no connection\): put data_batch_1.bin, .*digits, rev"
    ):
        cifar10.read(tmp_path, archive)
    assert everything_under(tmp_path) == []


def test_only_expected_members_are_unpacked(server, cifar_files, tmp_path):
    members = {f"{cifar10.FOLDER}/{name}": data for name, data in cifar_files.items()}
    hostile = {"../outside.bin": b"x", f"{cifar10.FOLDER}/../evil.bin": b"x", "/tmp/abs.bin": b"x"}
    archive = publish(server, archive_of({**hostile, **members, f"{cifar10.FOLDER}/run.sh": b"x"}))
    data_dir = tmp_path / "data"
    cifar10.read(data_dir, archive)
    unpacked = {path.name for path in (data_dir / cifar10.FOLDER).iterdir()}
    assert unpacked == {cifar10.STAMP_FILE, *cifar_files}
    assert everything_under(tmp_path) == sorted(["data", cifar10.FOLDER, *unpacked])


@pytest.mark.parametrize(
    ("content", "told"),
    [
        (b"not an archive", "cannot be unpacked"),
        (archive_of({f"{cifar10.FOLDER}/test_batch.bin": b"x"}), "lacks data_batch_1.bin"),
    ],
)
def test_a_useless_archive_leaves_nothing(content, told, server, tmp_path):
    with pytest.raises(DatasetError, match=told):
        cifar10.read(tmp_path, publish(server, content))
    assert everything_under(tmp_path) == []


def test_processes_that_start_together_download_once(server, archive, tmp_path):
    origins = []
    threads = [
        threading.Thread(target=lambda: origins.append(cifar10.read(tmp_path, archive).origin))
        for _ in range(3)
    ]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len(origins) == 3
    assert server.requests == [ADDRESS]


def test_real_files(real_cifar10):
    loaded = load("cifar10", data_dir=real_cifar10, train_size=1000)
    assert [len(split) for split in loaded.splits.values()] == [1000, 5000, 10000]
    assert np.bincount(loaded.validation.labels).tolist() == [500] * 10
    assert np.bincount(loaded.train.labels).tolist() == [100] * 10
    neighbours = np.abs(np.diff(loaded.test.inputs[:500], axis=2)).mean()
    apart = np.abs(loaded.test.inputs[:500, :, ::8] - loaded.test.inputs[:500, :, 7::8]).mean()
    assert neighbours < apart / 2, "pixels beside each other are alike in photographs"
