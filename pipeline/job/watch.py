"""Callbacks of a running job."""

from typing import Protocol

from pipeline.training.history import Epoch


class Watch(Protocol):
    """Shows a job's progress, in this process or, through a file, in another."""

    def waits(self) -> None:
        """Called when this process waits for another one that trains the same job."""

    def starts(self, run_id: str) -> None:
        """Called when the job has its run."""

    def epoch(self, epoch: Epoch) -> None:
        """Called when an epoch has ended, in this process or an earlier one.

        Raises:
            PrunedError: when the job must stop.
        """
