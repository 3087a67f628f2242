"""The log of a run, line by line: the file that becomes the artifact `log.txt`."""

from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from datetime import datetime
from pathlib import Path

from pipeline.data import Dataset
from pipeline.errors import summary
from pipeline.settings import Settings
from pipeline.settings.cross_checks import notes
from pipeline.settings.scores import SCORES
from pipeline.tasks import Task
from pipeline.tracking import names
from pipeline.tracking.temporary_folder import temporary_folder
from pipeline.training.history import Epoch, History
from pipeline.training.state import TrainingState
from pipeline.verification.check import Parity


class RunLog:
    """Writes the lines of one run, each with its time.

    If the file also receives the process's output, such as warnings of libraries, that output is
    interleaved with the lines.

    Args:
        file: written without buffering, so that the lines survive a crash of the process.
        epochs: number of epochs of the run.
    """

    def __init__(self, file: Path, epochs: int):
        self.file, self._epochs = file, epochs

    def write(self, line: str) -> None:
        """Add a line."""
        with self.file.open("a", encoding="utf-8") as opened:
            opened.write(f"{datetime.now():%Y-%m-%d %H:%M:%S} {line}\n")

    def starts(
        self, run_id: str, name: str, settings: Settings, dataset: Dataset, overrides: Sequence[str]
    ) -> None:
        """Log what is trained, on which data, and any warnings."""
        place = settings.sweep
        of_sweep = f", job {place.job} of {place.jobs} in sweep {place.id}" if place.id else ""
        self.write(f"run {run_id}: {name}, experiment {settings.place.experiment}{of_sweep}")
        self.write(f"set by hand: {' '.join(overrides) or 'nothing'}")
        self.write(f"data: {dataset.describe()}")
        for note in notes(settings):
            self.write(f"note: {note}")

    def resumes(self, state: TrainingState | None) -> None:
        """Log the epoch after which an interrupted run resumes."""
        if state is not None:
            self.write(f"resumes after epoch {len(state.epochs)}")

    def epoch(self, epoch: Epoch) -> None:
        """Log the numbers of an epoch."""
        measure = SCORES[epoch.measure].column
        self.write(
            f"epoch {epoch.number}/{self._epochs}: "
            f"training loss {epoch.loss_train:.4f}, {measure} {epoch.measure_train:.4f}; "
            f"validation loss {epoch.loss_validation:.4f}, "
            f"{measure} {epoch.measure_validation:.4f}; {epoch.seconds:.1f} s"
        )

    def scores(self, metrics: Mapping[str, float], history: History, task: Task) -> None:
        """Log which weights are kept and their scores."""
        best = history.best.number
        kept = f"of epoch {best}" if history.restored else f"of the last epoch (best: {best})"
        title = task.primary_score.title
        validation, test = (metrics[on + task.primary] for on in (names.VALIDATION, names.TEST))
        self.write(
            f"weights {kept}: {title} {validation:.4f} on validation data, {test:.4f} on test data"
        )

    def parity(self, outcome: Parity) -> None:
        """Log the outcome of the check against NumPy."""
        told = outcome.reason
        if not told and outcome.agreement is not None:
            told = f"{outcome.values} differ by at most {outcome.agreement.max_abs_diff:.1e}"
        self.write(f"parity: {outcome.tag}; {told}")

    @contextmanager
    def ending(self) -> Iterator[None]:
        """Log an exception of the block as the last line."""
        try:
            yield
        except BaseException as error:
            self.write(f"ended: {summary(error)}")
            raise


@contextmanager
def run_log(file: Path | None, epochs: int) -> Iterator[RunLog]:
    """Open the log of one run.

    Args:
        file: the file that receives the process's output; None uses a temporary file.
        epochs: number of epochs of the run.
    """
    with temporary_folder() as folder:
        yield RunLog(file or Path(folder) / names.LOG, epochs)
