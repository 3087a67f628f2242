"""The environment of a run: the code's version, the packages, the machine."""

import getpass
import os
import platform
import subprocess
from collections.abc import Mapping
from functools import cache
from importlib.metadata import distributions
from pathlib import Path
from typing import Any

from pipeline.tracking import names


@cache
def version_tags() -> Mapping[str, str | bool]:
    """Return tags with the commit that the code runs from, and whether files differ from it.

    Empty if it does not run from a repository.
    """
    source = Path(__file__).resolve().parent
    commit = _git(source, "rev-parse", "HEAD")
    tracked = _git(source, "ls-files", "--error-unmatch", Path(__file__).name)
    if commit is None or tracked is None:
        return {}
    dirty = bool(_git(source, "status", "--porcelain"))
    return {names.GIT_COMMIT: commit, names.GIT_DIRTY: dirty}


def _git(folder: Path, *arguments: str) -> str | None:
    command = ["git", "-C", str(folder), *arguments]
    try:
        done = subprocess.run(command, capture_output=True, text=True, timeout=10, check=False)
    except (OSError, subprocess.TimeoutExpired):
        return None
    return done.stdout.strip() if done.returncode == 0 else None


@cache
def packages() -> str:
    """Return all installed distributions as sorted `name==version` lines."""
    known = (one.metadata for one in distributions())  # parsed at each access, 0.1 s for all
    found = {f"{one['Name']}=={one['Version']}" for one in known}
    return "\n".join(sorted(found, key=str.lower)) + "\n"


def machine() -> dict[str, str | int | None]:
    """Return Python, operating system, processors, and the settings that affect rounding."""
    return {
        "python": platform.python_version(),
        "system": platform.platform(),
        "processor": platform.machine(),
        "cores": os.cpu_count(),
        "TF_ENABLE_ONEDNN_OPTS": os.environ.get("TF_ENABLE_ONEDNN_OPTS", "default"),
        "TF_NUM_INTRAOP_THREADS": os.environ.get("TF_NUM_INTRAOP_THREADS", "default"),
        "OMP_NUM_THREADS": os.environ.get("OMP_NUM_THREADS", "default"),
    }


def machine_in_words(stored: Mapping[str, Any]) -> str:
    """Format a stored result of `machine` as one line."""
    system, processor, cores, python = (
        stored.get(name, "?") for name in ("system", "processor", "cores", "python")
    )
    return f"{system}, {processor}, {cores} cores, Python {python}"


def user() -> str:
    """Return the login name, or `unknown` if the system has none for this user id."""
    try:
        return getpass.getuser()
    except (KeyError, OSError):
        return "unknown"
