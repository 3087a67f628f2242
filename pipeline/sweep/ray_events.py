"""Events of jobs on a Ray cluster, which pass through an actor beside the sweep."""

from collections import defaultdict
from collections.abc import Callable, Iterator
from typing import Any

from pipeline.sweep.workers.events import EventWatch

Event = dict[str, Any]


class Mailbox:
    """Keeps the events of jobs, and the answers to prune them."""

    def __init__(self) -> None:
        self._events: defaultdict[int, list[Event]] = defaultdict(list)
        self._reasons: dict[int, str] = {}

    def write(self, number: int, event: Event) -> str | None:
        """Keep an event of a job; return the reason to prune the job, or None."""
        self._events[number].append(event)
        return self._reasons.get(number)

    def take(self, number: int) -> list[Event]:
        """Return the events of a job since the last call."""
        return self._events.pop(number, [])

    def prune(self, number: int, reason: str) -> None:
        """Ask a job to stop at the end of its next epoch."""
        self._reasons[number] = reason


class MailedEvents(EventWatch):
    """Sends events to the mailbox; `send` returns the reason to prune the job, or None."""

    def __init__(self, send: Callable[[Event], str | None]):
        self._send = send

    def _write(self, **event: Any) -> str | None:
        return self._send(event)


class ReceivedEvents:
    """The events of one job, for the process of the sweep."""

    def __init__(self, mailbox: Any, number: int):
        self._mailbox, self._number = mailbox, number

    def new(self) -> Iterator[Event]:
        """Yield the events since the last call."""
        import ray

        yield from ray.get(self._mailbox.take.remote(self._number))

    def prune(self, reason: str) -> None:
        """Ask the job to stop at the end of its next epoch."""
        self._mailbox.prune.remote(self._number, reason)
