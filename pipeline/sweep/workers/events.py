"""What a worker tells of its job, through a file: one JSON document a line; and what it is told.

A queue between processes is held by a lock that a killed worker would never give back; a file that
only one process writes to has none.
"""

import json
from collections.abc import Iterator
from dataclasses import asdict
from pathlib import Path
from typing import Any

from pipeline.errors import PrunedError
from pipeline.training.history import Epoch


class EventWriter:
    """A `Watch` whose events are read by the sweep's own process."""

    def __init__(self, file: Path):
        self._file = file.open("a", buffering=1, encoding="utf-8")
        self._verdict = _verdict(file)

    def waits(self) -> None:
        """Another process trains the same job."""
        self._write(kind="waits")

    def starts(self, run_id: str) -> None:
        """The job has a run."""
        self._write(kind="starts", run_id=run_id)

    def epoch(self, epoch: Epoch) -> None:
        """An epoch has ended; if the sweep has said so, the job ends with it."""
        self._write(kind="epoch", epoch=asdict(epoch))
        if self._verdict.is_file():
            raise PrunedError(
                f"after epoch {epoch.number}: {self._verdict.read_text(encoding='utf-8')}"
            )

    def _write(self, **event: Any) -> None:
        self._file.write(json.dumps(event) + "\n")


class EventReader:
    """Reads what has been added to such a file since it was last asked, and answers."""

    def __init__(self, file: Path):
        self._path, self._read = file, 0

    def prune(self, reason: str) -> None:
        """Tell the job that it shall end with its next epoch."""
        draft = self._path.with_suffix(".draft")
        draft.write_text(reason, encoding="utf-8")
        draft.replace(_verdict(self._path))

    def new(self) -> Iterator[dict[str, Any]]:
        """Every whole line that is new."""
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
