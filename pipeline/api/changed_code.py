"""Makes a long-lived Python process use the user's modules and data as they are now."""

import importlib
import sys
from pathlib import Path

import psutil

from pipeline.data.sharing import forget_data
from pipeline.job.identity import code_versions
from pipeline.settings.data_function import data_function
from pipeline.settings.model_function import model_function

_seen: dict[str, float] = {}  # when the file of each of the user's modules had been changed


def forget_changed_code() -> None:
    """Have modules in the working directory whose files have changed imported again.

    Data sets are read again, too, because their files may have changed.
    """
    forget_data()
    for cached in (code_versions, model_function, data_function):
        cached.cache_clear()
    importlib.invalidate_caches()
    started = psutil.Process().create_time()
    for name, module in list(sys.modules.items()):
        file = Path(getattr(module, "__file__", None) or "")
        if name == "__main__" or not _is_users(file):
            continue
        changed = file.stat().st_mtime if file.is_file() else 0.0
        if _seen.get(name, started) < changed:
            del sys.modules[name]
        _seen[name] = max(changed, started)


def _is_users(file: Path) -> bool:
    """Return whether a module's file is in the working directory and not an installed library."""
    return Path.cwd() in file.parents and Path(sys.prefix) not in file.parents
