"""The BLAS that NumPy uses: its threads, and the processor that its products are made for."""

from collections.abc import Callable
from functools import cache
from typing import NamedTuple


class Blas(NamedTuple):
    """Functions that read and set the number of threads.

    Attributes:
        core: OpenBLAS's name for the family of processors whose kernels it chose, such as `Haswell`
            or `SkylakeX`; empty for another BLAS.
    """

    get_threads: Callable[[], int]
    set_threads: Callable[[int], None]
    core: str


@cache
def blas() -> Blas | None:
    """Find it; None where NumPy uses a BLAS that threadpoolctl does not know."""
    from threadpoolctl import ThreadpoolController  # 15 ms that loading a model need not wait for

    libraries = ThreadpoolController().select(user_api="blas").lib_controllers
    if not libraries:
        return None
    # SciPy may have brought one of its own.
    ours = max(libraries, key=lambda library: "numpy" in library.filepath)
    core = getattr(ours, "architecture", None) or ""
    return Blas(ours.get_num_threads, ours.set_num_threads, core)
