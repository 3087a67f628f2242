"""How the C library gets memory from the system."""

import ctypes

_KEPT_BYTES = 2**30
_M_TRIM_THRESHOLD, _M_MMAP_THRESHOLD, _M_ARENA_MAX = -1, -3, -8  # parameters of mallopt(3)


def keep_freed_memory() -> None:
    """Make the C library keep freed memory in one heap, for reuse by the next step.

    Otherwise the tensors of every training step use new pages, which the kernel must zero. This
    takes up to half of a CNN's epoch. A thread that has its own heap already keeps it, so call this
    early. Has an effect with glibc only.
    """
    mallopt = getattr(ctypes.CDLL(None), "mallopt", None)
    if mallopt is not None:
        mallopt(_M_ARENA_MAX, 1)
        mallopt(_M_MMAP_THRESHOLD, _KEPT_BYTES)
        mallopt(_M_TRIM_THRESHOLD, _KEPT_BYTES)
