"""Progress of a sweep's jobs, and the estimated time left."""

import time
from dataclasses import dataclass
from typing import Any

from rich.progress import BarColumn, Progress, TaskID, TextColumn
from rich.table import Column

from pipeline.cli.cells import short
from pipeline.cli.console import console, print_line, say
from pipeline.data.catalogue import spec_of
from pipeline.settings import Settings
from pipeline.training.history import Epoch

_LINE_SECONDS = 5.0  # between two lines per job when the output is no terminal
_CELL_SECONDS = 0.1  # between two states of a notebook cell
_MEASURES = {"accuracy": "acc", "mae": "MAE"}
_ROWS = 12  # with more jobs than this, the bar of a successful job is removed


@dataclass
class _ShownJob:
    name: str
    data: str
    epochs: int
    done: float = 0.0  # fraction, 0 to 1
    line: float = 0.0  # time of its latest line


class SweepProgress:
    """Shows one bar per running job on a terminal and in a notebook, plain lines elsewhere."""

    def __init__(self, total: int):
        self._total = total
        self._jobs: dict[int, _ShownJob] = {}
        self._started = time.time()
        self._pruned: set[int] = set()
        self._bars: dict[int, TaskID] = {}
        self._progress = _bars()

    def __enter__(self) -> "SweepProgress":
        if self._progress is not None:
            self._progress.start()
        return self

    def __exit__(self, *error: object) -> None:
        if self._progress is not None:
            self._progress.stop()

    def add(self, number: int, name: str, data: str, epochs: int) -> None:
        """Add a job."""
        self._jobs[number] = _ShownJob(name, data, epochs)

    def waits(self, job: int) -> None:
        """Report that another process trains the same job."""
        say(_waiting(self._place(job)))

    def prunes(self, job: int, epoch: Epoch, reason: str) -> None:
        """Report that a job is stopped early, and why."""
        self._pruned.add(job)
        if self._progress is None:
            say(f"{self._place(job)} is ended after epoch {epoch.number}: {reason}")

    def starts(self, job: int, run_id: str) -> None:
        """Report the run of a job that has started."""
        if self._progress is None:
            say(_starting(self._place(job), self._jobs[job].data, run_id))
        elif job not in self._bars:
            self._bars[job] = self._progress.add_task(
                self._place(job), total=self._jobs[job].epochs, epoch="", metrics="", left=""
            )

    def epoch(self, job: int, epoch: Epoch) -> None:
        """Report a completed epoch."""
        epochs = self._jobs[job].epochs
        self._jobs[job].done = epoch.number / epochs
        count, metrics = f"{epoch.number}/{epochs}", _metrics(epoch)
        left = f"{_clock(self._seconds_left())} left"
        if self._progress is not None and job in self._bars:
            self._progress.update(
                self._bars[job],
                completed=epoch.number,
                epoch=count,
                metrics=metrics,
                left=left,
                refresh=console.is_jupyter,
            )
        elif self._progress is None and self._due(job, last=epoch.number == epochs):
            say(f"{_progressing(self._place(job), epoch, epochs)}  {left}")

    def ends(self, job: int, failed: bool) -> None:
        """Report that a job has ended, successfully or not."""
        self._jobs[job].done = 1.0
        if self._progress is None:
            if failed:
                say(f"{self._place(job)} failed")
        elif job in self._bars:
            ending = "failed" if failed else "pruned" if job in self._pruned else ""
            self._progress.update(self._bars[job], left=ending)
            if not failed and self._total > _ROWS:
                self._progress.remove_task(self._bars[job])

    def _place(self, job: int) -> str:
        return f"{job + 1}/{self._total} {self._jobs[job].name}"

    def _due(self, job: int, last: bool) -> bool:
        due = last or time.time() - self._jobs[job].line > _LINE_SECONDS
        if due:
            self._jobs[job].line = time.time()
        return due

    def _seconds_left(self) -> float:
        """Estimate the seconds left for the whole sweep from the rate so far."""
        done = sum(job.done for job in self._jobs.values()) / self._total
        return (time.time() - self._started) * (1 - done) / done if done else 0.0


class JobLines:
    """Prints the lines of one job in the process that trains it; implements `Watch`."""

    def __init__(self, settings: Settings, name: str):
        self._place = f"{settings.sweep.job}/{settings.sweep.jobs} {name}"
        self._data = spec_of(settings.dataset.name).title
        self._epochs = settings.training.epochs
        self._line = 0.0

    def waits(self) -> None:
        """Report that another process trains the same job."""
        print_line(_waiting(self._place))

    def starts(self, run_id: str) -> None:
        """Report the run of the job."""
        print_line(_starting(self._place, self._data, run_id))

    def epoch(self, epoch: Epoch) -> None:
        """Report a completed epoch."""
        if epoch.number == self._epochs or time.time() - self._line > _LINE_SECONDS:
            self._line = time.time()
            print_line(_progressing(self._place, epoch, self._epochs))


def _waiting(place: str) -> str:
    return f"{place} is being trained by another process; waiting for it"


def _starting(place: str, data: str, run_id: str) -> str:
    return f"{place} starts on {data}, run {short(run_id)}"


def _progressing(place: str, epoch: Epoch, epochs: int) -> str:
    return f"{place}  epoch {epoch.number}/{epochs}  {_metrics(epoch)}"


_CUT: dict[str, Any] = {"no_wrap": True, "overflow": "ellipsis"}


class CellBars(Progress):
    """Bars in a notebook cell: one output, replaced at most ten times a second."""

    def start(self) -> None:
        """Create the output."""
        from IPython.display import display

        self._output, self._drawn = display(self, display_id=True), time.monotonic()

    def refresh(self) -> None:
        """Replace the output, unless it has just been replaced."""
        if time.monotonic() - self._drawn > _CELL_SECONDS:
            self._draw()

    def stop(self) -> None:
        """Show the last state."""
        self._draw()

    def _draw(self) -> None:
        self._output.update(self)
        self._drawn = time.monotonic()


def _bars() -> Progress | None:
    """Return bars for a terminal or a notebook; None for other outputs."""
    if not (console.is_terminal or console.is_jupyter):
        return None
    kind = CellBars if console.is_jupyter else Progress
    return kind(
        TextColumn("{task.description}", markup=False, table_column=Column(max_width=30, **_CUT)),
        BarColumn(bar_width=None, complete_style="blue", finished_style="blue"),
        TextColumn("{task.fields[epoch]}"),
        TextColumn("{task.fields[metrics]}"),
        TextColumn("{task.fields[left]}"),
        console=console,
        expand=True,
    )


def _metrics(epoch: Epoch) -> str:
    measure = _MEASURES[epoch.measure]
    return f"val loss {epoch.loss_validation:.3f}  val {measure} {epoch.measure_validation:.3f}"


def _clock(seconds: float) -> str:
    minutes, rest = divmod(round(seconds), 60)
    hours, minutes = divmod(minutes, 60)
    return f"{hours}:{minutes:02}:{rest:02}" if hours else f"{minutes}:{rest:02}"
