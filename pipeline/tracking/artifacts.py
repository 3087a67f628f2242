"""A run's files: stored atomically, read back for verification, listed with their digests."""

import hashlib
import json
from collections.abc import Mapping, Sequence
from contextlib import suppress
from pathlib import Path
from typing import TYPE_CHECKING
from urllib.parse import unquote, urlsplit

from pipeline.errors import CutShortError
from pipeline.tracking import names
from pipeline.tracking.temporary_folder import temporary_folder

if TYPE_CHECKING:
    from mlflow import MlflowClient

_LARGEST_MANIFEST = 2**24  # bytes; some 100 artifacts need 10,000


def digest(file: Path) -> str:
    """Return the SHA-256 of a file, in hexadecimal."""
    with file.open("rb") as opened:
        return hashlib.file_digest(opened, "sha256").hexdigest()


def local_folder(artifact_uri: str) -> Path | None:
    """Return the folder of an artifact URI; None if it is not on this machine."""
    parts = urlsplit(artifact_uri)
    return Path(unquote(parts.path)) if parts.scheme in ("", "file") else None


def store_file(
    client: "MlflowClient", run_id: str, artifact_uri: str, file: Path, folder: str
) -> str:
    """Store one file as an artifact, atomically, and read it back.

    Args:
        folder: folder below the run's artifacts, "" for none.

    Returns:
        The file's SHA-256.

    Raises:
        CutShortError: when the stored bytes differ from those sent.
    """
    expected = digest(file)
    client.log_artifact(run_id, str(file), folder or None)
    path = f"{folder}/{file.name}" if folder else file.name
    with temporary_folder() as back:
        if digest(download(client, artifact_uri, path, back)) != expected:
            raise CutShortError(f"artifact {path} was stored, but came back different.")
    return expected


def store_folder(client: "MlflowClient", run_id: str, folder: Path) -> dict[str, str]:
    """Store a folder's files as artifacts under its name, and read them back together.

    One by one would take twice as long: a served model includes its code, 90 files.

    Returns:
        The SHA-256 of each file, by the artifact's path.

    Raises:
        CutShortError: when the stored bytes differ from those sent.
    """
    expected = digests(folder, folder.parent)
    client.log_artifacts(run_id, str(folder), folder.name)
    with temporary_folder() as back:
        copy = Path(client.download_artifacts(run_id, folder.name, str(back)))
        stored = digests(copy, copy.parent)
    if different := sorted(path for path in expected if stored.get(path) != expected[path]):
        raise CutShortError(f"artifact {different[0]} was stored, but came back different.")
    return expected


def share(folder: Path, kept: Sequence[str], copies: Sequence[str]) -> None:
    """Store equal files once, as hard links; both are kept if the file system has no hard links.

    Args:
        kept: paths of artifacts.
        copies: paths of equal artifacts, each of which becomes a link to its counterpart in `kept`.
    """
    known = {digest(folder / path): folder / path for path in kept}
    for path in copies:
        file = folder / path
        original = known.get(digest(file))
        if original is None or original.samefile(file):
            continue
        link = file.with_name(f".{file.name}.link")
        with suppress(OSError):
            link.unlink(missing_ok=True)
            link.hardlink_to(original)
            link.replace(file)


def digests(folder: Path, within: Path) -> dict[str, str]:
    """Return the SHA-256 of each file of a folder, by its path below `within`."""
    files = (path for path in folder.rglob("*") if path.is_file())
    return {path.relative_to(within).as_posix(): digest(path) for path in files}


def download(client: "MlflowClient", artifact_uri: str, path: str, folder: Path) -> Path:
    """Download one artifact into a folder, given its URI.

    Given a run id instead, the client would request the run again for each file.
    """
    from mlflow.artifacts import download_artifacts

    return Path(
        download_artifacts(
            artifact_uri=f"{artifact_uri}/{path}",
            dst_path=str(folder),
            tracking_uri=client.tracking_uri,
        )
    )


def download_if_there(client: "MlflowClient", run_id: str, path: str, folder: Path) -> Path | None:
    """Download an artifact, a file or a folder, into a folder; None if the run has none."""
    from mlflow.exceptions import MlflowException

    try:
        found = Path(client.download_artifacts(run_id, path, str(folder)))
    except (MlflowException, OSError):
        return None
    return found if found.exists() else None


def manifest(digests: Mapping[str, str]) -> str:
    """Return the text of a run's manifest: the SHA-256 of each artifact, by its path."""
    return json.dumps(dict(sorted(digests.items())), indent=2) + "\n"


def missing(folder: Path) -> bool:
    """Return whether the manifest, or any artifact that it lists, is missing."""
    try:
        return not all((folder / path).is_file() for path in _listed(folder))
    except (OSError, ValueError):
        return True


def damage(folder: Path, parts: Sequence[str]) -> list[str]:
    """Return one sentence per artifact that differs from the stored one, or on the manifest.

    Args:
        folder: the folder with a run's manifest and some of its artifact folders.
        parts: names of those folders, or paths of files.
    """
    faults = []
    try:
        listed = _listed(folder)
    except (OSError, ValueError) as error:
        return [f"{names.MANIFEST} cannot be read: {error}"]
    for path, expected in listed.items():
        file = folder / path
        if path not in parts and path.split("/")[0] not in parts:
            continue
        if not file.is_file():
            faults.append(f"{path} is missing.")
        elif digest(file) != expected:
            faults.append(f"{path} is not the file that was stored: its sha256 differs.")
    return faults


def _listed(folder: Path) -> dict[str, str]:
    """Return the SHA-256 of each artifact by path; raise ValueError for a damaged manifest."""
    file = folder / names.MANIFEST
    if file.stat().st_size > _LARGEST_MANIFEST:
        raise ValueError(f"it has more than {_LARGEST_MANIFEST:,} bytes")
    try:
        listed = json.loads(file.read_text(encoding="utf-8"))
    except RecursionError as error:
        raise ValueError("it nests too deeply") from error
    if not isinstance(listed, dict) or not all(isinstance(one, str) for one in listed.values()):
        raise ValueError("it is not a list of files with their sha256")
    if any("\0" in path for path in listed):
        raise ValueError("it names a file that cannot be")
    return listed
