"""The location of the user's own data."""

import os
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from pipeline.errors import DatasetError
from pipeline.functions.lookup import is_own


def locate(path: str, data_dir: Path) -> Path:
    """Return the path of the user's own data; a folder of the same name elsewhere is not used.

    Raises:
        DatasetError: when `path` does not exist.
    """
    if _exists(Path(path)):
        return Path(path)
    same_name = data_dir / Path(path).name
    if not _exists(same_name):
        raise DatasetError(f"dataset.path={path} does not exist.")
    raise DatasetError(
        f"dataset.path={path} does not exist; {same_name} has the same name: give its path if "
        "you mean it."
    )


def found_again(arguments: Mapping[str, Any]) -> dict[str, Any]:
    """Return the arguments of `load` for a run's data, which may have moved to `data_dir`.

    For callers that compare the data's fingerprint with the run's, for example on another machine.

    Args:
        arguments: the run's arguments, with the data directory of this machine.

    Raises:
        DatasetError: when the user's own data are in neither location.
    """
    path = None if is_own(arguments["name"]) else arguments.get("path")
    if path is None or _exists(Path(path)):
        return dict(arguments)
    same_name = Path(arguments["data_dir"]) / Path(path).name
    if not _exists(same_name):
        raise DatasetError(f"dataset.path={path} does not exist, and neither does {same_name}.")
    return {**arguments, "path": str(same_name)}


def _exists(path: Path) -> bool:
    return os.path.exists(path)  # noqa: PTH110 - False where pathlib raises: no permission
