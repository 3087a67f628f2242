"""`pipeline.train`: a sweep from Python, and its runs as a table."""

import sys
import threading
from collections.abc import Iterator
from contextlib import AbstractContextManager, contextmanager, nullcontext
from typing import TYPE_CHECKING, Any

from pipeline.api.changed_code import forget_changed_code
from pipeline.api.hydra_program import run_program
from pipeline.api.keyword_settings import as_words
from pipeline.cli.command_line import called_with
from pipeline.cli.credentials import take_credentials
from pipeline.job.interruption import ENDING, interrupted_by
from pipeline.sweep.conduct import SweepFailedError

if TYPE_CHECKING:
    import pandas as pd

    from pipeline.sweep.conduct import ConductedSweep


def train(*words: str, **settings: Any) -> "pd.DataFrame":
    """Train, track and check a model, or a whole sweep.

    >>> pipeline.train("model=lstm", "units=32,64,128", epochs=5)  # doctest: +SKIP

    Finished jobs are not trained again, and an interrupted sweep is resumed by the same call, as
    with the command `python -m pipeline.train`, which takes the same settings.

    Args:
        words: settings as on the command line, such as `"model=lstm"` or `"units=32,64"`.
        settings: settings by name. A list has several values to try; a setting that is itself a
            list is given as a tuple.

    Returns:
        One row per run of the sweep, best first: `run_id`, `name`, `status`, the settings that
        differ, the scores, `parity` and more. A job that failed is a row too, with its `error`.
        With `dry_run=True`, the planned jobs.

    Raises:
        PipelineError: when something cannot be used; each reason is one sentence.
    """
    words = tuple(take_credentials([*words, *as_words(settings)]))
    forget_changed_code()
    with called_with(words), _interruptible(), _main_not_imported():
        try:
            sweep = run_program(words)
        except SweepFailedError as failed:  # the table says which jobs, and why
            sweep = failed.sweep
    return _table(sweep)


def _interruptible() -> AbstractContextManager[None]:
    """Mark runs KILLED when the program is interrupted; only the main thread can."""
    if threading.current_thread() is threading.main_thread():
        return interrupted_by(*ENDING)
    return nullcontext()


@contextmanager
def _main_not_imported() -> Iterator[None]:
    """Hide the calling program from worker processes, which would import and so run it again."""
    main = vars(sys.modules["__main__"])
    hidden: dict[str, Any] = {}
    for name in ("__file__", "__spec__"):
        if name in main:
            hidden[name] = main.pop(name)
    main["__spec__"] = None
    try:
        yield
    finally:
        main.update(hidden)


def _table(sweep: "ConductedSweep | None") -> "pd.DataFrame":
    import pandas as pd

    from pipeline.api.runs_frame import runs_frame
    from pipeline.tracking import names
    from pipeline.tracking.queries import members

    if sweep is None:  # `--cfg job` and the like only print
        return pd.DataFrame()
    if sweep.running.dry_run:
        return runs_frame([], {}, sweep.listed)
    experiments = [sweep.store.experiment(name) for name in sweep.plan.experiments]
    titles = {one.experiment_id: one.name for one in experiments}
    found = sweep.store.search_runs(list(titles), members(sweep.schedule.sweep_id))
    metric = sweep.criterion.metric
    runs = sweep.criterion.best_first(found, lambda run: run.data.metrics.get(metric))
    known = {run.data.tags.get(names.IDENTITY) for run in runs}
    lost = [job for job in sweep.listed if job.identity not in known]
    return runs_frame(runs, titles, lost)
