"""How many threads the jobs of a sweep train with."""

import os
from collections.abc import Iterable

from pipeline.settings import Settings
from pipeline.settings.cross_checks import RECURRENT
from pipeline.settings.model_function import model_function

WITHIN_OPERATION = "TF_NUM_INTRAOP_THREADS"  # TensorFlow's own variable: what it says, goes


def threads_within_operation(jobs: Iterable[Settings]) -> int | None:
    """How many threads TensorFlow shall spread each operation over; None leaves that to it.

    The products of a recurrent layer are so small that one thread is faster: an epoch of a BiLSTM
    of 128 units takes 1.4 s in the place of 2.2 on two cores. Operations that do not wait for each
    other, such as the two directions, still run side by side. All jobs of a sweep get the same
    number: a process cannot change it, and the last bit of a sum depends on it.
    """
    if WITHIN_OPERATION in os.environ:
        return None
    jobs = list(jobs)
    if all(model_function(job.model_name).module == RECURRENT for job in jobs):
        return 1
    workers = max(job.running.workers for job in jobs)
    return cores_each(workers) if workers > 1 else None


def cores_each(workers: int) -> int:
    """The share of this machine's cores that each of so many workers has."""
    return max(1, (os.cpu_count() or 1) // workers)
