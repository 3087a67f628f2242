"""Reading of `.keras` archives, and of the directories that they unpack to, as untrusted input.

Nothing in a file is executed or imported.
"""

from __future__ import annotations

import io
import json
import zipfile
from collections import Counter
from collections.abc import Callable
from pathlib import Path, PurePosixPath
from typing import Any, TypeVar

from scratch_forward.errors import ArchiveError
from scratch_forward.io.config_text import check_nesting, without_initializers
from scratch_forward.io.file_kinds import not_a_model
from scratch_forward.io.limits import Limits
from scratch_forward.io.model_file import ModelFile
from scratch_forward.io.weights import assign_weights, stored_array

CONFIG = "config.json"
WEIGHTS = "model.weights.h5"
METADATA = "metadata.json"
ASSETS = "assets/"

Content = TypeVar("Content")

_ENCRYPTED = 0x1


def read_archive(content: bytes, name: str, limits: Limits) -> ModelFile:
    """Read a `.keras` file.

    Args:
        name: File name, used in error messages.

    Raises:
        ArchiveError: If the file is malformed or exceeds a limit.
    """
    archive = _readable(lambda: zipfile.ZipFile(io.BytesIO(content)), name)
    _check_members(archive, len(content), limits)

    def member(part: str, limit: str) -> bytes:
        if part not in archive.NameToInfo:
            raise ArchiveError(f"The archive has no {part!r}.{not_a_model(archive.namelist())}")
        check_size(part, archive.NameToInfo[part].file_size, limit, limits)
        return _readable(lambda: archive.read(part), name)

    return _from_members(member, METADATA in archive.NameToInfo, limits)


def read_folder(folder: Path, limits: Limits) -> ModelFile:
    """Read the directory that a `.keras` file unpacks to.

    Raises:
        ArchiveError: If a file is missing, malformed or exceeds a limit.
    """
    if not (folder / CONFIG).is_file():
        names = [path.name for path in folder.iterdir()]
        raise ArchiveError(f"The folder has no {CONFIG!r}.{not_a_model(names)}")

    def member(part: str, limit: str) -> bytes:
        return file_bytes(folder / part, part, limit, limits)

    return _from_members(member, (folder / METADATA).is_file(), limits)


def _readable(read: Callable[[], Content], name: str) -> Content:
    """Call `read` and return its result.

    Raises:
        ArchiveError: If `read` raises any exception. `zipfile` raises many kinds on damaged input.
    """
    try:
        return read()
    except Exception as error:
        raise ArchiveError(f"{name!r} is not a readable .keras archive: {error}") from error


def _from_members(
    member: Callable[[str, str], bytes], has_metadata: bool, limits: Limits
) -> ModelFile:
    """Assemble a model file. `member` reads one part, given its name and the name of its limit."""

    def asset(name: str) -> str:
        try:
            return member(ASSETS + name, "asset_bytes").decode("utf-8")
        except UnicodeDecodeError as error:
            raise ArchiveError(f"{ASSETS + name!r} is not UTF-8 text.") from error

    config = parse_config(member(CONFIG, "config_text_bytes"), limits)
    metadata = parse_config(member(METADATA, "config_bytes"), limits) if has_metadata else {}
    weights = member(WEIGHTS, "member_bytes")
    version = str(metadata.get("keras_version") or "3")
    return ModelFile(
        config,
        version,
        lambda model: assign_weights(weights, model),
        asset,
        lambda path: stored_array(weights, path),
    )


def file_bytes(path: Path, name: str, limit: str, limits: Limits) -> bytes:
    """Read a file, after checking its size against the named limit."""
    if not path.is_file() or path.is_symlink():
        raise ArchiveError(f"There is no file {name!r}.")
    check_size(name, path.stat().st_size, limit, limits)
    return path.read_bytes()


def check_size(name: str, size: int, limit: str, limits: Limits) -> None:
    """Check a size in bytes against the named limit.

    Raises:
        ArchiveError: If the size exceeds the limit. The message says how to raise the limit.
    """
    most = getattr(limits, limit)
    if size > most:
        raise ArchiveError(
            f"{name!r} has {size:,} bytes; the limit is {most:,} "
            f"(raise it by Limits({limit}={size}))."
        )


def _check_members(archive: zipfile.ZipFile, size: int, limits: Limits) -> None:
    """Check the names, kinds and stated sizes of all members before any is unpacked."""
    members = archive.infolist()
    if len(members) > limits.members:
        raise ArchiveError(
            f"The archive has {len(members)} files; the limit is {limits.members} "
            "(raise it by Limits(members=...))."
        )
    times = Counter(info.filename for info in members)
    for info in members:
        if times[info.filename] > 1:
            raise ArchiveError(f"The archive holds {info.filename!r} twice.")
        if info.flag_bits & _ENCRYPTED:
            raise ArchiveError(f"The archive holds {info.filename!r} encrypted.")
        if not _allowed(info.filename):
            raise ArchiveError(
                f"The archive holds {info.filename!r}, which is not allowed."
                f"{not_a_model(list(times))}"
            )
        check_size(info.filename, info.file_size, "member_bytes", limits)
    unpacked = sum(info.file_size for info in members)
    if unpacked > limits.expansion_ratio * size:
        raise ArchiveError(
            f"The archive unpacks to {unpacked / size:.0f} times its size; "
            f"the limit is {limits.expansion_ratio:g} (raise it by Limits(expansion_ratio=...))."
        )


def _allowed(name: str) -> bool:
    """Whether an archive may contain this member: one of the three files, or text in `assets/`."""
    if name in (CONFIG, WEIGHTS, METADATA):
        return True
    path = PurePosixPath(name)
    harmless = "\\" not in name and "\0" not in name and ".." not in path.parts
    return harmless and name.startswith(ASSETS) and (name.endswith("/") or path.suffix == ".txt")


def parse_config(text: bytes, limits: Limits) -> dict[str, Any]:
    """Parse `config.json`.

    Raises:
        ArchiveError: If the text is not JSON, nests too deeply, or contains NaN, infinity or a
            duplicate key.
    """
    text = without_initializers(text, limits)
    check_nesting(text, limits)
    try:
        config = json.loads(text, parse_constant=_refuse_constant, object_pairs_hook=_unique)
    except (ValueError, RecursionError) as error:
        raise ArchiveError(f"{CONFIG!r} is not valid JSON: {error}") from error
    if not isinstance(config, dict):
        raise ArchiveError(f"{CONFIG!r} does not hold an object.")
    return config


def _refuse_constant(name: str) -> None:
    raise ValueError(f"{name} is not a JSON number")


def _unique(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    found = dict(pairs)
    if len(found) != len(pairs):
        raise ValueError("an object has the same key twice")
    return found
