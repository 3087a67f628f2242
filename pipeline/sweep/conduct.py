"""Conducts a sweep, which is a grid or a search: plan, launcher, training, closing table."""

import shlex
from abc import ABC, abstractmethod
from collections.abc import Callable, Iterator, Sequence
from contextlib import AbstractContextManager, contextmanager, suppress
from typing import TYPE_CHECKING

from pipeline.cli.command_line import typed_program, typed_words
from pipeline.errors import ClusterLostError, CommandFailedError, StoreAwayError
from pipeline.settings.masking import masked
from pipeline.settings.scores import MEASURES
from pipeline.sweep.class_weight_check import check_class_weights
from pipeline.sweep.launchers import JobLauncher
from pipeline.sweep.model_check import check_own_models
from pipeline.sweep.plan import SweepPlan
from pipeline.sweep.schedule import Schedule, ScheduledJob
from pipeline.tracking.ranking import Criterion
from pipeline.tracking.store import Store, join_store, look_up_store

if TYPE_CHECKING:
    from pipeline.tracking.queries import RunResult
    from pipeline.tracking.tracked_run import TrackedRun


class ConductedSweep(ABC):
    """A checked sweep; a grid and a search implement these methods, called in this order.

    Attributes:
        plan: all jobs of a grid; for a search, jobs that probe its space.
        title: the sweep by its overrides.
        running: how the sweep is run.
        tracking: where its runs are tracked.
        schedule: what is done and what is left, once looked up.
        store: where runs are tracked, while the sweep is open.
        run: the sweep's own run, while it is open; None if it has none.
    """

    schedule: Schedule
    store: Store
    run: "TrackedRun | None" = None

    def __init__(self, plan: SweepPlan, title: str):
        self.plan, self.title = plan, title
        settings = plan.jobs[0].settings
        self.running, self.tracking = settings.running, settings.tracking.model_dump()

    @property
    def listed(self) -> tuple[ScheduledJob, ...]:
        """The jobs of the sweep, once looked up; a search does not know them in advance."""
        return self.schedule.jobs

    @property
    @abstractmethod
    def jobs(self) -> int:
        """The number of jobs, before it is known which of them are done."""

    @property
    def criterion(self) -> Criterion:
        """What the best run is chosen by, once the schedule is known."""
        return self.plan.criterion(self.schedule.tasks)

    @abstractmethod
    def look_up(self, place: Store) -> Schedule:
        """Return what is done and what is left, and show it; `place` need not exist yet."""

    @abstractmethod
    def opened(self, store: Store) -> AbstractContextManager[None]:
        """Set `store` and `run`, and hold what training needs, for the length of a block."""

    @abstractmethod
    def train(self, launcher: JobLauncher) -> None:
        """Train what is left.

        Raises:
            KeyboardInterrupt: when the sweep was interrupted; every run has its final status.
        """

    @abstractmethod
    def conclude(self, results: "Sequence[RunResult]") -> str:
        """Show the results; return which jobs failed or lack parity in a sentence, "" if none."""


class SweepFailedError(CommandFailedError):
    """A run of `sweep` failed or lacks parity; everything has been shown and stored."""

    def __init__(self, sweep: ConductedSweep):
        super().__init__()
        self.sweep = sweep


def conduct(sweep: ConductedSweep, job_launcher: Callable[[], JobLauncher]) -> None:
    """Run the jobs that are left of a checked sweep and show the results; a dry run shows the plan.

    Args:
        job_launcher: returns the launcher; not called in a dry run.

    Raises:
        DatasetError: when a data set is not available; no run was created.
        StoreError: when a store cannot be used; no run was created.
        SweepFailedError: at the end, when a run failed or lacks parity.
        KeyboardInterrupt: when the sweep was interrupted, after the table.
    """
    if sweep.running.dry_run:
        _show(sweep)
        return
    launcher = job_launcher()
    jobs = [job.settings for job in sweep.plan.jobs]
    with launcher.started(jobs, sweep.jobs), _telling_how_to_resume():
        _conduct(sweep, launcher)


@contextmanager
def _telling_how_to_resume() -> Iterator[None]:
    """Add the command that resumes the sweep to the error of a store or cluster that is lost."""
    try:
        yield
    except (StoreAwayError, ClusterLostError) as error:
        raise type(error)(f"{error} To resume, run the same command: {command()}") from error


def _show(sweep: ConductedSweep) -> None:
    sweep.schedule = sweep.look_up(look_up_store(**sweep.tracking))
    _ = sweep.criterion  # refused before anything trains
    jobs = [scheduled.job.settings for scheduled in sweep.schedule.to_train]
    check_class_weights(jobs)
    check_own_models(jobs)


def _conduct(sweep: ConductedSweep, launcher: JobLauncher) -> None:
    _show(sweep)
    with sweep.opened(join_store(**sweep.tracking)):
        interrupted = True
        with suppress(KeyboardInterrupt):  # raised again after the table
            sweep.train(launcher)
            interrupted = False
        fault = _close(sweep, interrupted)
        if interrupted:
            raise KeyboardInterrupt
        if fault and sweep.run is not None:
            sweep.run.fail(fault)
    if fault:
        raise SweepFailedError(sweep)


def _close(sweep: ConductedSweep, interrupted: bool) -> str:
    """End runs whose process has died, then show all runs and links; return what is wrong."""
    from pipeline.cli.results_table import show_links
    from pipeline.tracking.links import ViewedSweep, save_sweep_view
    from pipeline.tracking.lost_runs import end_lost_runs
    from pipeline.tracking.queries import sweep_results

    plan, store, sweep_id = sweep.plan, sweep.store, sweep.schedule.sweep_id
    experiments = [store.experiment(name) for name in plan.experiments]
    ids = [one.experiment_id for one in experiments]
    end_lost_runs(store, ids, sweep_id, interrupted)
    fault = sweep.conclude(
        sweep_results(store, experiments, sweep_id, plan.varied, sweep.criterion)
    )
    measures = dict.fromkeys(MEASURES[task] for task in sweep.schedule.tasks)
    view = ViewedSweep(
        sweep_id, sweep.title, plan.varied_parameters, sweep.criterion, tuple(measures)
    )
    show_links(save_sweep_view(store, ids[0], view))
    return fault


def command() -> str:
    """Return the command, or one that equals the Python call, without passwords."""
    return masked(shlex.join([*typed_program("train"), *typed_words()]))
