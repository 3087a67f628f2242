"""What a job tells of itself while it lasts, to whoever watches it."""

from typing import Protocol

from pipeline.training.history import Epoch


class Watch(Protocol):
    """Shows a job to a person, in this process or, through a file, in another."""

    def waits(self) -> None:
        """Another process is training the same job; this one waits for it."""

    def starts(self, run_id: str) -> None:
        """The job has a run."""

    def epoch(self, epoch: Epoch) -> None:
        """An epoch has ended, in this process or in an earlier one.

        Raises:
            PrunedError: when the job must not continue.
        """
