"""Finds the files of a data set in the data directory, or downloads and verifies them once."""

from __future__ import annotations

import logging
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from tempfile import TemporaryDirectory

from pipeline.data.catalogue import built_in
from pipeline.errors import DatasetError

_log = logging.getLogger(__name__)


@dataclass(frozen=True)
class Remote:
    """A file to download: its address and expected SHA-256."""

    url: str
    sha256: str


@dataclass(frozen=True)
class Wanted:
    """The files that a data set needs.

    Attributes:
        data_set: the name of the data set.
        folder: the folder that holds the files.
        files: their names.
    """

    data_set: str
    folder: Path
    files: tuple[str, ...]

    def missing(self) -> tuple[str, ...]:
        """Return the names of the files that are not in the folder."""
        return tuple(name for name in self.files if not _is_file(self.folder / name))

    def unavailable(self, problem: str) -> DatasetError:
        """Return an error that names the failure and the alternative in one sentence."""
        return DatasetError(
            f"The data set {self.data_set} is not in {self.folder} and {problem}: put "
            f"{', '.join(self.missing())} there, or use a data set that needs no download "
            f"({', '.join(built_in())})."
        )

    @contextmanager
    def download_area(self, data_dir: Path) -> Iterator[Path]:
        """Yield a temporary folder on the data directory's disk, to one process at a time.

        Complete files are moved from there to their destination; the rest is deleted with it.

        Raises:
            DatasetError: when the data directory is not writable.
        """
        from filelock import FileLock  # not needed if the files exist

        try:
            data_dir.mkdir(parents=True, exist_ok=True)
            lock = FileLock(data_dir / f".{self.data_set}.lock")
            with lock, TemporaryDirectory(dir=data_dir, prefix=f".{self.data_set}-") as area:
                yield Path(area)
        except OSError as error:
            reason = error.strerror or type(error).__name__
            raise self.unavailable(f"cannot be downloaded into {data_dir} ({reason})") from error

    def download(self, remote: Remote, target: Path) -> None:
        """Download a file into a download area, which is deleted on failure.

        `pooch.retrieve` would compare the checksum too, but its error has the received one only in
        a sentence.

        Raises:
            DatasetError: when the download fails or its checksum differs.
        """
        import pooch  # not needed if the files exist
        import requests

        _log.info("Downloading %s", remote.url)
        try:
            fetch = pooch.HTTPDownloader(progressbar=sys.stderr.isatty())
            fetch(remote.url, str(target), None)
        except requests.RequestException as error:
            problem = f"could not be downloaded from {remote.url} ({_reason(error)})"
            raise self.unavailable(problem) from error
        received = pooch.file_hash(str(target))
        if received != remote.sha256:
            raise self.unavailable(
                f"the download from {remote.url} was refused and removed, as its sha256 is "
                f"{received} instead of {remote.sha256}"
            )


def _is_file(path: Path) -> bool:
    try:
        return path.is_file()
    except OSError:  # in a folder without permission to enter
        return False


def read_bytes(path: Path) -> bytes:
    """Read a whole file; raise DatasetError if that is impossible, as for a pipe."""
    if path.exists() and not path.is_file():
        kind = "a folder" if path.is_dir() else "a pipe or a device"
        raise DatasetError(f"{path} cannot be read: it is {kind}, not a file.")
    try:
        return path.read_bytes()
    except OSError as error:
        raise DatasetError(f"{path} cannot be read ({error.strerror}).") from error


def _reason(error: Exception) -> str:
    """Summarise a failed request in a few words."""
    import requests

    response = getattr(error, "response", None)
    if response is not None:
        return f"HTTP {response.status_code}"
    if isinstance(error, requests.Timeout):
        return "no answer in time"
    if isinstance(error, requests.ConnectionError):
        return "no connection"
    if isinstance(error, requests.exceptions.ChunkedEncodingError):
        return "the connection broke off"
    return type(error).__name__
