import hashlib
import os
import shutil
from pathlib import Path
from tempfile import TemporaryDirectory

import pytest

from pipeline.data import DatasetError, load
from pipeline.data.catalogue import NUSAX_LANGUAGES
from pipeline.data.published import nusax

HEADER = b"id,text,label\n"
SMALL = {
    "train.csv": HEADER + b"1,enak sekali,positive\n2,biasa saja,neutral\n3,buruk,negative\n",
    "valid.csv": HEADER + b"4,lumayan,neutral\n",
    "test.csv": HEADER + b"5,tidak enak,negative\n6,bagus,positive\n",
}


def repository(address, files=SMALL):
    sums = {name: hashlib.sha256(content).hexdigest() for name, content in files.items()}
    return nusax.Repository(address, dict.fromkeys(NUSAX_LANGUAGES, sums))


def serve(server, language="sundanese", files=SMALL):
    server.files |= {f"/{language}/{name}": content for name, content in files.items()}
    return repository(server.address)


def everything_under(folder):
    return sorted(path.name for path in folder.rglob("*") if path.suffix != ".lock")


def test_downloads_once_into_the_data_directory(server, tmp_path):
    official = serve(server)
    data_dir = tmp_path / "new" / "data"
    source = nusax.read(data_dir, "sundanese", official)
    assert source.train.texts == ("enak sekali", "biasa saja", "buruk")
    assert source.test.labels.tolist() == [0, 2]
    assert source.origin.startswith("sundanese, official files")
    assert (
        source.checksums["nusax/sundanese/test.csv"] == official.checksums["sundanese"]["test.csv"]
    )
    nusax.read(data_dir, "sundanese", official)
    assert len(server.requests) == 3
    assert everything_under(data_dir) == [
        "nusax",
        "sundanese",
        "test.csv",
        "train.csv",
        "valid.csv",
    ]


def test_downloads_only_what_is_missing(server, lay_out):
    official = serve(server)
    data_dir = lay_out("nusax/sundanese", {"train.csv": SMALL["train.csv"]})
    nusax.read(data_dir, "sundanese", official)
    assert sorted(server.requests) == ["/sundanese/test.csv", "/sundanese/valid.csv"]


def test_a_download_with_another_checksum_is_refused_and_removed(server, tmp_path):
    official = serve(server)
    server.files["/sundanese/valid.csv"] += b"5,lagi,neutral\n"
    with pytest.raises(DatasetError, match="refused and removed, as its sha256 is") as refusal:
        nusax.read(tmp_path, "sundanese", official)
    assert official.checksums["sundanese"]["valid.csv"] in str(refusal.value)
    assert everything_under(tmp_path) == ["nusax", "sundanese", "train.csv"]


def test_a_download_cut_short_is_refused_and_removed(server, tmp_path):
    official = serve(server)
    server.cut_short.add("/sundanese/train.csv")
    with pytest.raises(DatasetError, match=r"could not be downloaded from .*broke off"):
        nusax.read(tmp_path, "sundanese", official)
    assert everything_under(tmp_path) == []


def test_offline_tells_what_was_tried_and_what_to_do(nobody_listening, tmp_path):
    with pytest.raises(DatasetError) as refusal:
        nusax.read(tmp_path, "sundanese", repository(nobody_listening))
    told = str(refusal.value)
    assert f"downloaded from {nobody_listening}/sundanese/train.csv (no connection)" in told
    assert f"is not in {tmp_path}/nusax/sundanese" in told
    assert "put train.csv, valid.csv, test.csv there" in told
    assert "no download (digits, reviews)" in told
    assert "\n" not in told
    assert everything_under(tmp_path) == []


def test_an_address_without_the_file_is_told(server, tmp_path):
    with pytest.raises(DatasetError, match=r"could not be downloaded from .* \(HTTP 404\)"):
        nusax.read(tmp_path, "sundanese", repository(server.address))


@pytest.fixture
def read_only_folder():
    with TemporaryDirectory() as folder:
        Path(folder).chmod(0o755)
        yield Path(folder)


def test_a_read_only_data_directory_is_told(server, read_only_folder, as_nobody):
    with pytest.raises(DatasetError, match=r"cannot be downloaded into .* \(Permission denied\)"):
        nusax.read(read_only_folder, "sundanese", serve(server))
    assert server.requests == []


def test_an_unreadable_data_directory_is_told(server, tmp_path, as_nobody):
    with pytest.raises(DatasetError, match=r"Permission denied"):
        nusax.read(tmp_path, "sundanese", serve(server))
    assert server.requests == []


def test_data_in_a_read_only_directory_is_read(read_only_folder, as_nobody):
    os.seteuid(0)
    folder = read_only_folder / "nusax" / "sundanese"
    folder.mkdir(parents=True)
    for name, content in SMALL.items():
        (folder / name).write_bytes(content)
    os.seteuid(65534)
    assert len(nusax.read(read_only_folder, "sundanese").train.labels) == 3


def test_a_data_directory_that_is_a_file_is_told(server, tmp_path):
    (tmp_path / "data").write_text("not a directory")
    with pytest.raises(DatasetError, match=r"cannot be downloaded into .*data \(.*\)"):
        nusax.read(tmp_path / "data", "sundanese", serve(server))


def test_a_well_formed_file_laid_out_by_hand_is_used_and_said(lay_out):
    data_dir = lay_out("nusax/javanese", SMALL)
    loaded = load("nusax", data_dir=data_dir, language="javanese")
    own = hashlib.sha256(SMALL["valid.csv"]).hexdigest()
    assert "laid out by hand, differs from the official files in train.csv" in loaded.source
    assert f"valid.csv (sha256 {own})" in loaded.describe()
    assert loaded.checksums["nusax/javanese/valid.csv"] == own
    assert loaded.train.texts[2] == "buruk"


def test_a_malformed_file_is_refused_with_its_place(lay_out):
    broken = {**SMALL, "test.csv": SMALL["test.csv"] + b"7,terpotong"}
    data_dir = lay_out("nusax/javanese", broken)
    with pytest.raises(DatasetError, match=r"javanese/test.csv, line 4 has 2 columns"):
        load("nusax", data_dir=data_dir, language="javanese")


@pytest.mark.parametrize("language", NUSAX_LANGUAGES)
def test_official_files_of_every_language(language, real_nusax):
    source = nusax.read(real_nusax, language)
    parts = (source.train, source.validation, source.test)
    assert [len(part.labels) for part in parts] == [500, 100, 400]
    assert "checksums verified" in source.origin


def test_indonesian_classes(real_nusax):
    test = load("nusax", data_dir=real_nusax).test
    assert [(test.labels == label).sum() for label in range(3)] == [153, 96, 151]


def test_an_altered_official_file_is_told(real_nusax, tmp_path):
    shutil.copytree(real_nusax / "nusax" / "english", tmp_path / "nusax" / "english")
    altered = tmp_path / "nusax" / "english" / "valid.csv"
    altered.chmod(0o644)
    altered.write_bytes(altered.read_bytes() + b"9999,One more.,neutral\n")
    source = nusax.read(tmp_path, "english")
    assert "in valid.csv (sha256" in source.origin
    assert "train.csv" not in source.origin
