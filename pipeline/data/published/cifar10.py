"""`cifar10`: 60,000 colour photographs of 32x32 pixels, from the official binary archive.

A batch file is a sequence of 3,073-byte records: the label, then 1,024 red, 1,024 green and 1,024
blue values, each plane row by row (https://www.cs.toronto.edu/~kriz/cifar.html).
"""

from __future__ import annotations

import hashlib
import json
import shutil
import tarfile
import zlib
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from pipeline.data.catalogue import CIFAR10
from pipeline.data.examples import Examples, Source
from pipeline.data.published.download import Remote, Wanted, read_bytes
from pipeline.data.sampling import held_out
from pipeline.errors import DatasetError

ARCHIVE = Remote(
    url="https://www.cs.toronto.edu/~kriz/cifar-10-binary.tar.gz",
    sha256="c4a38c50a1bc5f3a1c5537f2155ab9d68f9f25eb1ed8d9ddda3db29a59bca1dd",
)
FOLDER = "cifar-10-batches-bin"
TRAIN_FILES = tuple(f"data_batch_{number}.bin" for number in range(1, 6))
TEST_FILE = "test_batch.bin"
NAMES_FILE = "batches.meta.txt"
STAMP_FILE = "verified.json"
"""Stamp beside the downloaded files: the SHA-256 of the archive and of each of its files."""

_BATCH_FILES = (*TRAIN_FILES, TEST_FILE)
_RECORD = 3_073
_OFFICIAL_RECORDS = 10_000


def read(data_dir: Path, archive: Remote = ARCHIVE) -> Source:
    """Read the batches under `data_dir`, downloading them first if there are none.

    A fixed stratified tenth of the training images becomes the validation split.

    Args:
        data_dir: the folder that contains, or will contain, `cifar-10-batches-bin/`.
        archive: the archive to download.

    Raises:
        DatasetError: when the files are unavailable, incomplete or malformed.
    """
    folder = data_dir / FOLDER
    _provide(data_dir, archive)
    _check_class_names(folder / NAMES_FILE)
    contents = {name: read_bytes(folder / name) for name in _BATCH_FILES}
    batches = {name: _records(folder / name, content) for name, content in contents.items()}
    checksums = {name: hashlib.sha256(content).hexdigest() for name, content in contents.items()}
    records = np.concatenate([batches[name] for name in TRAIN_FILES])
    train, validation = held_out(_labels(records), len(records) // 10)
    return Source(
        train=_examples(records[train]),
        validation=_examples(records[validation]),
        test=_examples(batches[TEST_FILE]),
        classes=CIFAR10.classes,
        origin=_origin(folder, checksums, archive) + _unusual_sizes(batches),
        checksums={f"{FOLDER}/{name}": checksum for name, checksum in checksums.items()},
        scale=1 / 255,
    )


def _provide(data_dir: Path, archive: Remote) -> None:
    """Ensure that every batch file is in its folder."""
    wanted = Wanted(CIFAR10.name, data_dir / FOLDER, _BATCH_FILES)
    if wanted.missing() == wanted.files:
        with wanted.download_area(data_dir) as area:
            if wanted.missing():  # otherwise another process has just downloaded them
                wanted.download(archive, area / "archive.tar.gz")
                _unpack(area / "archive.tar.gz", area / FOLDER, archive)
                (area / FOLDER).rename(wanted.folder)
    elif wanted.missing():
        raise DatasetError(
            f"The data set cifar10 is incomplete, {', '.join(wanted.missing())} is missing in "
            f"{wanted.folder}: add it, or remove the folder to have it downloaded."
        )


def _unpack(archive_file: Path, folder: Path, archive: Remote) -> None:
    """Unpack only the expected members of the archive, and stamp them as verified.

    `pooch.Untar` selects members by a prefix of their path, and below Python 3.12 it unpacks links
    and paths that lead out of the folder.
    """
    folder.mkdir()
    expected = {f"{FOLDER}/{name}" for name in (*_BATCH_FILES, NAMES_FILE)}
    checksums = {}
    try:
        with tarfile.open(archive_file, "r:gz") as unpacked:
            for member in unpacked:
                content = unpacked.extractfile(member) if member.isreg() else None
                if content is None or member.name not in expected:
                    continue
                target = folder / Path(member.name).name
                with target.open("wb") as file:
                    shutil.copyfileobj(content, file)
                checksums[target.name] = hashlib.sha256(target.read_bytes()).hexdigest()
    except (tarfile.TarError, EOFError, zlib.error) as error:
        raise DatasetError(f"The archive {archive.url} cannot be unpacked ({error}).") from error
    missing = [name for name in _BATCH_FILES if name not in checksums]
    if missing:
        raise DatasetError(f"The archive {archive.url} lacks {', '.join(missing)}.")
    stamp = {"archive_sha256": archive.sha256, "files": checksums}
    (folder / STAMP_FILE).write_text(json.dumps(stamp, indent=1) + "\n", encoding="utf-8")


def _records(path: Path, content: bytes) -> NDArray[np.uint8]:
    """Check a whole batch file and split it into records, uint8 of shape ``(N, 3073)``."""
    whole, rest = divmod(len(content), _RECORD)
    if rest or not whole:
        raise DatasetError(
            f"{path} is truncated or is no CIFAR-10 batch: record {whole + 1:,} has {rest:,} of "
            f"{_RECORD:,} bytes."
        )
    records = np.frombuffer(content, np.uint8).reshape(whole, _RECORD)
    wrong = np.flatnonzero(records[:, 0] >= len(CIFAR10.classes))
    if len(wrong):
        raise DatasetError(
            f"{path} is malformed: record {wrong[0] + 1:,} (byte {wrong[0] * _RECORD:,}) has the "
            f"label {records[wrong[0], 0]}, expected 0 to {len(CIFAR10.classes) - 1}."
        )
    return records


def _labels(records: NDArray[np.uint8]) -> NDArray[np.int64]:
    return records[:, 0].astype(np.int64)


def _examples(records: NDArray[np.uint8]) -> Examples:
    """Return labels and a channels-last view of the planes, which is copied when scaled."""
    planes = records[:, 1:].reshape(-1, 3, 32, 32)
    return Examples(planes.transpose(0, 2, 3, 1), _labels(records))


def _check_class_names(path: Path) -> None:
    """Refuse class names other than CIFAR-10's; the file itself is optional."""
    if not path.is_file():
        return
    names = tuple(read_bytes(path).decode("utf-8", "replace").split())
    if names != CIFAR10.classes:
        raise DatasetError(
            f"{path} names the classes {', '.join(names)}: expected {', '.join(CIFAR10.classes)}."
        )


def _origin(folder: Path, checksums: Mapping[str, str], archive: Remote) -> str:
    """Return whether these are the files of the verified archive, as a phrase."""
    stamp = _stamp(folder / STAMP_FILE)
    verified = stamp["files"] if stamp.get("archive_sha256") == archive.sha256 else {}
    if all(verified.get(name) == sha256 for name, sha256 in checksums.items()):
        return "official binary archive, checksum verified"
    listing = "".join(f"{sha256}  {name}\n" for name, sha256 in sorted(checksums.items()))
    combined = hashlib.sha256(listing.encode()).hexdigest()
    return (
        "laid out by hand, not checked against the official archive, "
        f"sha256 of all files together {combined[:12]}"
    )


def _stamp(path: Path) -> dict[str, Any]:
    """Read the stamp; a missing or damaged stamp verifies nothing."""
    try:
        stamp = json.loads(path.read_text(encoding="utf-8"))
    except (OSError, ValueError):
        return {}
    sound = isinstance(stamp, dict) and isinstance(stamp.get("files"), dict)
    return stamp if sound else {}


def _unusual_sizes(batches: Mapping[str, NDArray[np.uint8]]) -> str:
    """Name the well-formed files whose number of images differs from the official one."""
    unusual = [
        f"{name} has {len(records):,}"
        for name, records in batches.items()
        if len(records) != _OFFICIAL_RECORDS
    ]
    return f"; instead of {_OFFICIAL_RECORDS:,} images {', '.join(unusual)}" if unusual else ""
