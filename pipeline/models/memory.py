"""How this process gets memory from the system."""

import ctypes

_KEPT_BYTES = 2**30
_M_TRIM_THRESHOLD, _M_MMAP_THRESHOLD, _M_ARENA_MAX = -1, -3, -8  # of mallopt(3)


def keep_freed_memory() -> None:
    """Have the C library keep what is freed, in one heap, for the next step to use.

    Else the tensors of every training step are pages that the system has to clear anew, which
    takes up to half of a CNN's epoch. Threads that have a heap of their own keep it, so the
    earlier this is called the better. Only glibc has these settings.
    """
    mallopt = getattr(ctypes.CDLL(None), "mallopt", None)
    if mallopt is not None:
        mallopt(_M_ARENA_MAX, 1)
        mallopt(_M_MMAP_THRESHOLD, _KEPT_BYTES)
        mallopt(_M_TRIM_THRESHOLD, _KEPT_BYTES)
