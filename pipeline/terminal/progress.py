"""One job's place in its sweep, its epochs, and the time left for the whole sweep."""

import time
from types import TracebackType
from typing import Any

from rich.progress import BarColumn, Progress, TextColumn
from rich.table import Column

from pipeline.settings.schema import Sweep
from pipeline.terminal.console import console
from pipeline.training_history import Epoch

_LINE_SECONDS = 5.0  # between two lines where there is no terminal to redraw


class JobProgress:
    """A bar on a terminal; elsewhere plain lines, at most one in five seconds.

    It needs nothing but the job's own settings, so it is right in any process that runs the job.
    """

    def __init__(self, sweep: Sweep, name: str, data: str, epochs: int, live: bool):
        self.sweep, self.name, self.data, self.epochs = sweep, name, data, epochs
        self._started = sweep.started or time.time()
        self._last_line = 0.0
        self._bar = _bar() if live and console.is_terminal else None

    def __enter__(self) -> "JobProgress":
        if self._bar is None:
            console.print(f"{self._place} starts on {self.data}", markup=False, soft_wrap=True)
        else:
            self._bar.start()
            self._task = self._bar.add_task(
                self._place, total=self.epochs, epoch=f"0/{self.epochs}", metrics="", left=""
            )
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        if self._bar is not None:
            self._bar.stop()

    def epoch(self, epoch: Epoch) -> None:
        """Show an epoch that has ended."""
        metrics = f"val loss {epoch.loss_validation:.3f}  val acc {epoch.accuracy_validation:.3f}"
        count = f"{epoch.number}/{self.epochs}"
        left = f"{_clock(self._seconds_left(epoch.number))} left"
        if self._bar is not None:
            self._bar.update(
                self._task, completed=epoch.number, epoch=count, metrics=metrics, left=left
            )
        elif time.time() - self._last_line > _LINE_SECONDS or epoch.number == self.epochs:
            self._last_line = time.time()
            line = f"{self._place}  epoch {count}  {metrics}  {left}"
            console.print(line, markup=False, soft_wrap=True)

    @property
    def _place(self) -> str:
        return f"{self.sweep.job}/{self.sweep.jobs} {self.name}"

    def _seconds_left(self, epoch: int) -> float:
        """Of the whole sweep, if every job takes as long as the ones so far."""
        done = (self.sweep.job - 1 + epoch / self.epochs) / self.sweep.jobs
        return (time.time() - self._started) * (1 - done) / done


_CUT: dict[str, Any] = {"no_wrap": True, "overflow": "ellipsis"}


def _bar() -> Progress:
    return Progress(
        TextColumn("{task.description}", table_column=Column(max_width=30, **_CUT)),
        BarColumn(bar_width=None, complete_style="blue", finished_style="blue"),
        TextColumn("{task.fields[epoch]}"),
        TextColumn("{task.fields[metrics]}"),
        TextColumn("{task.fields[left]}"),
        console=console,
        expand=True,
    )


def _clock(seconds: float) -> str:
    minutes, rest = divmod(round(seconds), 60)
    hours, minutes = divmod(minutes, 60)
    return f"{hours}:{minutes:02}:{rest:02}" if hours else f"{minutes}:{rest:02}"
