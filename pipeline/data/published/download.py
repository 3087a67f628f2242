"""Files of a data set: found under the data directory, or downloaded into it once, verified."""

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
    """A file to download: its address and the sha256 it must have."""

    url: str
    sha256: str


@dataclass(frozen=True)
class Wanted:
    """Files that a data set needs.

    Attributes:
        data_set: the data set's name.
        folder: where the files belong.
        files: their names.
    """

    data_set: str
    folder: Path
    files: tuple[str, ...]

    def missing(self) -> tuple[str, ...]:
        """Name the files that are not in the folder."""
        return tuple(name for name in self.files if not _is_file(self.folder / name))

    def unavailable(self, problem: str) -> DatasetError:
        """Say in one sentence what was tried and what to do instead."""
        return DatasetError(
            f"The data set {self.data_set} is not in {self.folder} and {problem}: put "
            f"{', '.join(self.missing())} there, or use a data set that needs no download "
            f"({', '.join(built_in())})."
        )

    @contextmanager
    def download_area(self, data_dir: Path) -> Iterator[Path]:
        """Open a temporary folder on the data directory's disk, one process at a time.

        What is complete is moved from there to where it belongs; the rest disappears with it.

        Raises:
            DatasetError: the data directory cannot be written to.
        """
        from filelock import FileLock  # not needed once the files are there

        try:
            data_dir.mkdir(parents=True, exist_ok=True)
            lock = FileLock(data_dir / f".{self.data_set}.lock")
            with lock, TemporaryDirectory(dir=data_dir, prefix=f".{self.data_set}-") as area:
                yield Path(area)
        except OSError as error:
            reason = error.strerror or type(error).__name__
            raise self.unavailable(f"cannot be downloaded into {data_dir} ({reason})") from error

    def download(self, remote: Remote, target: Path) -> None:
        """Download a file into a download area, which goes with it when this fails.

        Raises:
            DatasetError: nothing came, or something else than expected.
        """
        import pooch  # not needed once the files are there
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
    except OSError:  # in a folder that may not be entered
        return False


def read_bytes(path: Path) -> bytes:
    """Read a whole file; DatasetError when that is not possible, as from a pipe."""
    if path.exists() and not path.is_file():
        kind = "a folder" if path.is_dir() else "a pipe or a device"
        raise DatasetError(f"{path} cannot be read: it is {kind}, not a file.")
    try:
        return path.read_bytes()
    except OSError as error:
        raise DatasetError(f"{path} cannot be read ({error.strerror}).") from error


def _reason(error: Exception) -> str:
    """Put a failed request in a few words."""
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
