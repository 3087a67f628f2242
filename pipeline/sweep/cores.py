"""How many processes train the jobs of a sweep, and with how many threads each."""

import os
from collections.abc import Iterator, Sequence
from pathlib import Path

from pipeline.settings import Settings, refuse
from pipeline.settings.cross_checks import RECURRENT
from pipeline.settings.model_function import model_function
from pipeline.sweep.needs import memory_bytes

WITHIN_OPERATION = "TF_NUM_INTRAOP_THREADS"  # TensorFlow's own variable, which takes precedence
VISIBLE_GPUS = "CUDA_VISIBLE_DEVICES"
_MOST_THREADS = 4  # beyond that, another job gains more than another thread
_NVIDIA = Path("/proc/driver/nvidia/gpus")  # one folder per GPU
_CGROUP = Path("/sys/fs/cgroup")  # of a container whose memory is limited


def threads_within_operation(job: Settings) -> int | None:
    """Return the number of threads per TensorFlow operation; None uses TensorFlow's variable.

    It depends on the kind of model and the machine, not on the number of workers: the last bit of
    a sum depends on it. The matrix products of a recurrent layer are so small that one thread is
    faster: an epoch of a BiLSTM with 128 units takes 1.4 s instead of 2.2 s on two cores.
    Independent operations, such as the two directions, still run in parallel.
    """
    if WITHIN_OPERATION in os.environ:
        return None
    recurrent = model_function(job.model_name).module == RECURRENT
    return 1 if recurrent else min(cores(), _MOST_THREADS)


def worker_count(jobs: Sequence[Settings], count: int) -> int:
    """Return the number of processes that train the jobs of a sweep.

    `workers=auto` starts as many as there are jobs and as fit into the free memory and on the GPUs
    or, without GPUs, the cores: one job with one thread per core, and two threads of other jobs per
    core. `resources` can ask for more or less.

    Args:
        jobs: the jobs, or examples of them.
    """
    workers = jobs[0].running.workers
    if workers != "auto":
        return workers
    each, memory = gpus_each(jobs), max(memory_bytes(job.resources) for job in jobs)
    places = len(gpus()) // each if each else _places_on_cores(jobs)
    return max(1, min(count, places, _free_bytes() // memory))


def check_needs(jobs: Sequence[Settings]) -> None:
    """Check that this machine has what each job asks for; `auto` asks for nothing.

    Raises:
        SettingsError: with one sentence per need that it can never meet.
    """
    refuse(_too_much(jobs))


def _places_on_cores(jobs: Sequence[Settings]) -> int:
    # One recurrent job per core: three LSTMs of 10 epochs on NusaX at once, on two cores, take 1.1
    # times as long as two at a time. Two threads per core: two CNNs with two threads each, on two
    # cores, take 0.6 of the time that they take one after the other (0.8 on CIFAR-10), since much
    # of a step uses one thread.
    threads = min(threads_within_operation(job) or cores() for job in jobs)
    shared = min(cores(), 2 * cores() // threads)
    asked = [job.resources.cpus for job in jobs]
    own = [cores() // cpus for cpus in asked if cpus != "auto"]
    return min([*own, *([shared] if "auto" in asked else [])])


def gpus_each(jobs: Sequence[Settings]) -> int:
    """Return the number of GPUs per worker: `auto` is one if this machine has any."""
    auto = 1 if gpus() else 0
    asked = (job.resources.gpus for job in jobs)
    return max(auto if count == "auto" else count for count in asked)


def gpus_of(worker: int, each: int) -> str | None:
    """Return the ids of the GPUs that a worker sees; None if this machine has none.

    Args:
        worker: its number, from 0; more workers than places share the GPUs.
    """
    known = gpus()
    if not known or not each:
        return "" if known else None
    first = worker % (len(known) // each) * each
    return ",".join(known[first : first + each])


def _too_much(jobs: Sequence[Settings]) -> Iterator[str]:
    import psutil

    has = {"cpus": cores(), "gpus": len(gpus())}
    for key, limit in has.items():
        asked = [value for job in jobs if (value := getattr(job.resources, key)) != "auto"]
        if asked and max(asked) > limit:
            yield f"resources.{key}={max(asked)} must be at most {limit}, which this machine has."
    demands = (job.resources for job in jobs if job.resources.memory != "auto")
    largest = max(demands, key=memory_bytes, default=None)
    total = int(psutil.virtual_memory().total)
    if largest and memory_bytes(largest) > total:
        yield (
            f"resources.memory={largest.memory} must be at most {total // 2**20}MB, which this "
            "machine has."
        )


def cores_each(workers: int) -> int:
    """Return the number of this machine's cores per worker."""
    return max(1, cores() // workers)


def cores() -> int:
    """Return the number of cores that this process may use, also in a container."""
    from joblib import cpu_count

    return int(cpu_count())


def gpus() -> list[str]:
    """Return the ids of the GPUs that TensorFlow would see; [] without NVIDIA's driver."""
    if (chosen := os.environ.get(VISIBLE_GPUS)) is not None:
        return [gpu for gpu in chosen.split(",") if gpu not in ("", "-1")]
    return [str(number) for number, _ in enumerate(_NVIDIA.glob("*"))]


def _free_bytes() -> int:
    """Return the memory that is free on this machine, or in this container if that is less."""
    import psutil

    free = psutil.virtual_memory().available
    try:
        limit, used = ((_CGROUP / name).read_text() for name in ("memory.max", "memory.current"))
        return min(free, int(limit) - int(used))
    except (OSError, ValueError):  # not limited
        return int(free)
