"""The OpenBLAS that came with NumPy: its threads, and the processor that its products are for."""

from __future__ import annotations

import ctypes
from collections.abc import Callable
from functools import cache
from pathlib import Path
from typing import NamedTuple

import numpy as np

_LIBRARY_PATTERNS = ("*openblas*.so*", "*openblas*.dylib", "*openblas*.dll")
_SYMBOL_FORMS = ("scipy_openblas_{}64_", "scipy_openblas_{}", "openblas_{}64_", "openblas_{}")


class OpenBlas(NamedTuple):
    """Two functions of the library that read and set its number of threads, and a name.

    Attributes:
        core: the family of processors whose kernels it chose, such as `Haswell` or `SkylakeX`.
    """

    get_threads: Callable[[], int]
    set_threads: Callable[[int], None]
    core: str


@cache
def openblas() -> OpenBlas | None:
    """Find it; None where NumPy uses another BLAS."""
    package = Path(np.__file__).parent
    for folder in (package.parent / "numpy.libs", package / ".dylibs"):
        for pattern in _LIBRARY_PATTERNS:
            for path in sorted(folder.glob(pattern)):
                if found := _functions(path):
                    return found
    return None


def _functions(path: Path) -> OpenBlas | None:
    try:
        library = ctypes.CDLL(str(path))  # already in the process: this only finds its handle
    except OSError:
        return None
    for form in _SYMBOL_FORMS:
        get, set_, core = (
            getattr(library, form.format(name), None)
            for name in ("get_num_threads", "set_num_threads", "get_corename")
        )
        if get is not None and set_ is not None and core is not None:
            get.argtypes, get.restype = [], ctypes.c_int
            set_.argtypes, set_.restype = [ctypes.c_int], None
            core.argtypes, core.restype = [], ctypes.c_char_p
            return OpenBlas(get, set_, core().decode())
    return None
