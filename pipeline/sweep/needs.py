"""What a job needs of the machine that it is placed on: cores, GPUs and memory."""

from dataclasses import dataclass
from typing import Any

from pipeline.settings.schema import Resources

AUTO = Resources(cpus="auto", gpus="auto", memory="auto")
_AUTO_BYTES = 3 * 2**29  # a CNN on CIFAR-10: 2.1 GB, of which 0.6 are shared; an LSTM: 1.1 GB
_LIMIT_BYTES = 2**32  # for a scheduler that ends a job that takes more
_UNITS = {"MB": 2**20, "GB": 2**30}


@dataclass(frozen=True)
class Need:
    """The needs of one job; memory in bytes."""

    cpus: int
    gpus: int
    memory: int

    def __str__(self) -> str:
        gpus = f"{self.gpus} GPU{'' if self.gpus == 1 else 's'}, " * bool(self.gpus)
        cores = f"{self.cpus} core{'' if self.cpus == 1 else 's'}"
        return f"{cores}, {gpus}{self.memory // _UNITS['MB']}MB of memory"


def cluster_need(resources: Resources, threads: int | None) -> Need:
    """Return what a job needs on a cluster, where `auto` is a core per thread and no GPU.

    Args:
        threads: the number of threads within an operation; None if the environment defines it.
    """
    cpus = (threads or 1) if resources.cpus == "auto" else resources.cpus
    gpus = 0 if resources.gpus == "auto" else resources.gpus
    return Need(cpus, gpus, memory_bytes(resources))


def memory_bytes(resources: Resources, auto: int = _AUTO_BYTES) -> int:
    """Return the memory of a job in bytes; a GB has 2**30, as Slurm counts."""
    size = resources.memory
    return auto if size == "auto" else int(size[:-2]) * _UNITS[size[-2:]]


def submitit_parameters(resources: Resources, threads: int | None) -> dict[str, Any]:
    """Return the same needs as parameters of submitit, which Slurm's options follow from."""
    need = cluster_need(resources, threads)
    memory = memory_bytes(resources, auto=_LIMIT_BYTES)
    return {"cpus_per_task": need.cpus, "gpus_per_node": need.gpus, "mem_gb": memory / _UNITS["GB"]}
