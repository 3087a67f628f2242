"""Weights that Keras 3 splits into several files of limited size."""

from __future__ import annotations

from pathlib import Path, PurePath

from scratch_forward.errors import ArchiveError
from scratch_forward.io.archive import file_bytes, parse_config
from scratch_forward.io.config_fields import field
from scratch_forward.io.limits import Limits


def read_shards(path: Path, limits: Limits) -> list[bytes]:
    """Read the files that `model.weights.json` names. They must be in the same directory.

    Raises:
        ArchiveError: If a file is missing or in another directory, or if their total size exceeds
            the limit.
    """
    index = parse_config(file_bytes(path, path.name, "config_bytes", limits), limits)
    places = field(index, "weight_map", path.name)
    if not isinstance(places, dict):
        raise ArchiveError(f"{path.name!r} has a weight_map that is not an object.")
    names = {
        name for held in places.values() for name in (held if isinstance(held, list) else [held])
    }
    if len(names) > limits.members:
        raise ArchiveError(
            f"{path.name!r} names {len(names)} files; the limit is {limits.members} "
            "(raise it by Limits(members=...))."
        )
    contents: list[bytes] = []
    for name in sorted(names, key=str):
        if not isinstance(name, str) or PurePath(name).name != name or "\\" in name:
            raise ArchiveError(f"{path.name!r} names a file elsewhere: {name!r}.")
        contents.append(file_bytes(path.with_name(name), name, "archive_bytes", limits))
        if sum(map(len, contents)) > limits.archive_bytes:
            raise ArchiveError(
                f"The weights of {path.name!r} are larger than the limit of "
                f"{limits.archive_bytes:,} bytes (raise it by Limits(archive_bytes=...))."
            )
    return contents
