"""The number of threads that the jobs of a sweep train with."""

import os
from collections.abc import Iterable

from pipeline.settings import Settings
from pipeline.settings.cross_checks import RECURRENT
from pipeline.settings.model_function import model_function

WITHIN_OPERATION = "TF_NUM_INTRAOP_THREADS"  # TensorFlow's own variable, which takes precedence


def threads_within_operation(jobs: Iterable[Settings]) -> int | None:
    """Return the number of threads per TensorFlow operation; None uses TensorFlow's default.

    The matrix products of a recurrent layer are so small that one thread is faster: an epoch of a
    BiLSTM with 128 units takes 1.4 s instead of 2.2 s on two cores. Independent operations, such as
    the two directions, still run in parallel. All jobs of a sweep get the same number: a process
    cannot change it, and the last bit of a sum depends on it.
    """
    if WITHIN_OPERATION in os.environ:
        return None
    jobs = list(jobs)
    if all(model_function(job.model_name).module == RECURRENT for job in jobs):
        return 1
    workers = max(job.running.workers for job in jobs)
    return cores_each(workers) if workers > 1 else None


def cores_each(workers: int) -> int:
    """Return the number of this machine's cores per worker."""
    return max(1, (os.cpu_count() or 1) // workers)
