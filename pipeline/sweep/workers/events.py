"""Events of a job for the process of the sweep, and its answer to prune the job.

A worker on this machine writes them to a file, as JSON lines. A queue between processes holds a
lock, which a killed worker would never release. A file with a single writer needs no lock.
"""

import json
from abc import ABC, abstractmethod
from collections.abc import Iterator
from dataclasses import asdict
from pathlib import Path
from typing import Any

from pipeline.errors import PrunedError
from pipeline.training.history import Epoch


class EventWatch(ABC):
    """A `Watch` that passes events on to the process of the sweep."""

    @abstractmethod
    def _write(self, **event: Any) -> str | None:
        """Pass on an event; return the reason to prune the job, or None."""

    def waits(self) -> None:
        """Report that another process trains the same job."""
        self._write(kind="waits")

    def starts(self, run_id: str) -> None:
        """Report the run of the job."""
        self._write(kind="starts", run_id=run_id)

    def epoch(self, epoch: Epoch) -> None:
        """Report the end of an epoch.

        Raises:
            PrunedError: when the sweep has asked to prune the job.
        """
        if reason := self._write(kind="epoch", epoch=asdict(epoch)):
            raise PrunedError(f"after epoch {epoch.number}: {reason}")


class EventWriter(EventWatch):
    """Writes events to a file, and reads the answer from another one."""

    def __init__(self, file: Path):
        self._file = file.open("a", buffering=1, encoding="utf-8")
        self._verdict = _verdict(file)

    def _write(self, **event: Any) -> str | None:
        self._file.write(json.dumps(event) + "\n")
        return self._verdict.read_text(encoding="utf-8") if self._verdict.is_file() else None


class EventReader:
    """Reads new events from such a file, and asks the job to stop."""

    def __init__(self, file: Path):
        self._path, self._read = file, 0

    def prune(self, reason: str) -> None:
        """Ask the job to stop at the end of its next epoch."""
        draft = self._path.with_suffix(".draft")
        draft.write_text(reason, encoding="utf-8")
        draft.replace(_verdict(self._path))

    def new(self) -> Iterator[dict[str, Any]]:
        """Yield the events that were written in full since the last call."""
        if not self._path.is_file():
            return
        with self._path.open("rb") as file:
            file.seek(self._read)
            for line in file:
                if not line.endswith(b"\n"):
                    return
                self._read += len(line)
                yield json.loads(line)


def _verdict(events: Path) -> Path:
    return events.with_suffix(".pruned")
