"""Where a user's own data lie."""

import os
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from pipeline.errors import DatasetError


def locate(path: str, data_dir: Path) -> Path:
    """Find a user's own data at `path`; data of the same name elsewhere may be other data.

    Raises:
        DatasetError: it is not there.
    """
    if _exists(Path(path)):
        return Path(path)
    same_name = data_dir / Path(path).name
    if not _exists(same_name):
        raise DatasetError(f"dataset.path={path} is not there.")
    raise DatasetError(
        f"dataset.path={path} is not there; {same_name} has the same name: give its path if you "
        "mean that."
    )


def found_again(arguments: Mapping[str, Any]) -> dict[str, Any]:
    """The arguments of `load` for a run's data, which may have moved to the data directory.

    For those who compare the data's fingerprint with the run's, as on another machine.

    Args:
        arguments: as the run had them, with the data directory of this machine.

    Raises:
        DatasetError: a user's own data are at neither place.
    """
    path = arguments.get("path")
    if path is None or _exists(Path(path)):
        return dict(arguments)
    same_name = Path(arguments["data_dir"]) / Path(path).name
    if not _exists(same_name):
        raise DatasetError(f"dataset.path={path} is not there, and neither is {same_name}.")
    return {**arguments, "path": str(same_name)}


def _exists(path: Path) -> bool:
    return os.path.exists(path)  # noqa: PTH110 - False where pathlib raises: no right to look
