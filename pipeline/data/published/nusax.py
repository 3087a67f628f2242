"""`nusax`: NusaX-Sentiment, review sentences translated into twelve languages (CC BY-SA 4.0).

Winata et al., "NusaX: Multilingual Parallel Sentiment Dataset for 10 Indonesian Local Languages",
EACL 2023; files of github.com/IndoNLP/nusax.
"""

from __future__ import annotations

import hashlib
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path

from pipeline.data.catalogue import NUSAX, NUSAX_LANGUAGES
from pipeline.data.examples import Source
from pipeline.data.published.download import Remote, Wanted, read_bytes
from pipeline.data.published.nusax_checksums import CHECKSUMS
from pipeline.data.text_csv import parse
from pipeline.errors import DatasetError

COMMIT = "75b0be5d982348332509f296e10d9bf9cb66d60f"
FILES = ("train.csv", "valid.csv", "test.csv")
_COLUMNS = ("id", "text", "label")


@dataclass(frozen=True)
class Repository:
    """The location of the official files.

    Attributes:
        address: base address of `<language>/<file>`.
        checksums: SHA-256 by language and file.
    """

    address: str
    checksums: Mapping[str, Mapping[str, str]] = field(repr=False)

    def remote(self, language: str, file: str) -> Remote:
        """Return a file's address and checksum."""
        return Remote(f"{self.address}/{language}/{file}", self.checksums[language][file])


OFFICIAL = Repository(
    f"https://raw.githubusercontent.com/IndoNLP/nusax/{COMMIT}/datasets/sentiment", CHECKSUMS
)


def read(data_dir: Path, language: str = "indonesian", repository: Repository = OFFICIAL) -> Source:
    """Read a language's three files under `data_dir`, downloading the missing ones first.

    Args:
        data_dir: the folder that contains, or will contain, `nusax/<language>/`.
        language: one of the twelve languages.
        repository: where to download from.

    Raises:
        DatasetError: when the language is unknown, or the files are unavailable or malformed.
    """
    if language not in NUSAX_LANGUAGES:
        raise DatasetError(
            f"language={language!r} is not in NusaX: expected one of {', '.join(NUSAX_LANGUAGES)}."
        )
    folder = data_dir / "nusax" / language
    _provide(data_dir, Wanted(NUSAX.name, folder, FILES), repository)
    contents = {name: read_bytes(folder / name) for name in FILES}
    train, validation, test = (
        parse(folder / name, content, _COLUMNS, NUSAX.classes) for name, content in contents.items()
    )
    checksums = {name: hashlib.sha256(content).hexdigest() for name, content in contents.items()}
    return Source(
        train=train,
        validation=validation,
        test=test,
        classes=NUSAX.classes,
        origin=f"{language}, {_origin(checksums, repository.checksums[language])}",
        checksums={f"nusax/{language}/{name}": sha256 for name, sha256 in checksums.items()},
    )


def _provide(data_dir: Path, wanted: Wanted, repository: Repository) -> None:
    """Ensure that the three files are in their folder."""
    if not wanted.missing():
        return
    with wanted.download_area(data_dir) as area:
        for name in wanted.missing():
            wanted.download(repository.remote(wanted.folder.name, name), area / name)
            wanted.folder.mkdir(parents=True, exist_ok=True)
            (area / name).replace(wanted.folder / name)


def _origin(checksums: Mapping[str, str], official: Mapping[str, str]) -> str:
    """Name the files, if any, that differ from the official ones."""
    differing = [
        f"{name} (sha256 {sha256})"
        for name, sha256 in checksums.items()
        if sha256 != official[name]
    ]
    if not differing:
        return f"official files of IndoNLP/nusax at {COMMIT[:7]}, checksums verified"
    return f"laid out by hand, differs from the official files in {', '.join(differing)}"
