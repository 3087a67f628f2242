"""The BLAS library that NumPy uses: its number of threads and its processor family."""

from collections.abc import Callable
from functools import cache
from typing import NamedTuple


class Blas(NamedTuple):
    """The BLAS library in use.

    Attributes:
        get_threads: Returns the number of threads.
        set_threads: Sets the number of threads.
        core: OpenBLAS's name for the processor family whose kernels it uses, such as `Haswell` or
            `SkylakeX`. Empty for other libraries.
    """

    get_threads: Callable[[], int]
    set_threads: Callable[[int], None]
    core: str


@cache
def blas() -> Blas | None:
    """Return NumPy's BLAS library, or None if threadpoolctl does not support it."""
    from threadpoolctl import ThreadpoolController  # takes 15 ms, not needed to load a model

    libraries = ThreadpoolController().select(user_api="blas").lib_controllers
    if not libraries:
        return None
    # SciPy may have loaded a BLAS library of its own.
    ours = max(libraries, key=lambda library: "numpy" in library.filepath)
    core = getattr(ours, "architecture", None) or ""
    return Blas(ours.get_num_threads, ours.set_num_threads, core)
