"""Conducts a sweep, a grid or a search: plan, start the launcher, train, close with a table."""

import shlex
import sys
from abc import ABC, abstractmethod
from collections.abc import Callable, Iterator, Sequence
from contextlib import AbstractContextManager, contextmanager
from typing import TYPE_CHECKING, Any

from pipeline.cli.command_line import typed_program
from pipeline.errors import CommandFailedError, StoreAwayError
from pipeline.settings.masking import masked
from pipeline.settings.schema import Running
from pipeline.sweep.launchers import Failure, JobLauncher
from pipeline.sweep.model_check import check_own_models
from pipeline.sweep.plan import Plan
from pipeline.sweep.schedule import Schedule
from pipeline.tracking.ranking import Criterion
from pipeline.tracking.store import Store, join_store, look_up_store

if TYPE_CHECKING:
    from pipeline.tracking.queries import RunResult
    from pipeline.tracking.tracked_run import TrackedRun


class Sweep(ABC):
    """What a grid and a search do differently; `conduct` calls these methods in this order.

    Attributes:
        plan: the checked jobs: all jobs of a grid; for a search, those that probe its space.
    """

    plan: Plan

    @property
    def running(self) -> Running:
        """How the sweep is run."""
        return self.plan.jobs[0].settings.running

    @property
    def tracking(self) -> dict[str, Any]:
        """Where its runs are tracked."""
        return self.plan.jobs[0].settings.tracking.model_dump()

    @property
    def title(self) -> str:
        """The sweep by its overrides."""
        return self.plan.title

    @property
    def criterion(self) -> Criterion:
        """What the best run is chosen by."""
        return self.plan.criterion

    @abstractmethod
    def schedule(self, place: Store) -> Schedule:
        """Look up what is done already, and show what is left to do.

        Args:
            place: where runs are tracked; it need not exist yet.
        """

    @abstractmethod
    def opened(
        self, schedule: Schedule, store: Store
    ) -> "AbstractContextManager[tuple[Store, TrackedRun | None]]":
        """Hold the sweep's own run, and everything that training needs, for the length of a block.

        Yields:
            The store to use within the block, and the sweep's own run; None where it has none.
        """

    @abstractmethod
    def train(self, schedule: Schedule, store: Store, launcher: JobLauncher) -> Sequence[Failure]:
        """Train what is left.

        Returns:
            Failures of jobs that may have no run to keep the reason.

        Raises:
            KeyboardInterrupt: when the sweep was interrupted; every run has ended truthfully.
        """

    @abstractmethod
    def conclude(
        self,
        schedule: Schedule,
        results: "Sequence[RunResult]",
        failures: Sequence[Failure],
        run: "TrackedRun | None",
    ) -> str:
        """Show the results, and log what the sweep's own run keeps of them.

        Returns:
            A sentence that says which jobs failed or lack parity; "" if none.
        """


def conduct(sweep: Sweep, job_launcher: Callable[[], JobLauncher]) -> None:
    """Do what is left of a checked sweep and close with a table; a dry run only shows the plan.

    Args:
        sweep: a grid or a search.
        job_launcher: returns what runs the jobs; a dry run does not call it.

    Raises:
        DatasetError: when a data set is not available; no run was created.
        StoreError: when a store cannot be used; no run was created.
        CommandFailedError: at the end, when a run failed or lacks parity.
        KeyboardInterrupt: when the sweep was interrupted, after the table.
    """
    if sweep.running.dry_run:
        _show(sweep)
        return
    launcher = job_launcher()
    with launcher.started(sweep.running.workers), _telling_how_to_resume():
        _conduct(sweep, launcher)


@contextmanager
def _telling_how_to_resume() -> Iterator[None]:
    """Add the command that resumes the sweep to the error of a store that stays unreachable."""
    try:
        yield
    except StoreAwayError as error:
        raise StoreAwayError(f"{error} To resume, run the same command: {command()}") from error


def _show(sweep: Sweep) -> Schedule:
    schedule = sweep.schedule(look_up_store(**sweep.tracking))
    check_own_models(scheduled.job.settings for scheduled in schedule.to_train)
    return schedule


def _conduct(sweep: Sweep, launcher: JobLauncher) -> None:
    schedule = _show(sweep)
    with sweep.opened(schedule, join_store(**sweep.tracking)) as (store, run):
        failures, interrupted = _train(sweep, schedule, store, launcher)
        fault = _close(sweep, schedule, store, run, failures, interrupted)
        if interrupted:
            raise KeyboardInterrupt
        if fault and run is not None:
            run.fail(fault)
    if fault:
        raise CommandFailedError(1)


def _train(
    sweep: Sweep, schedule: Schedule, store: Store, launcher: JobLauncher
) -> tuple[Sequence[Failure], bool]:
    """Train what is left; also returns whether that was interrupted, to raise after the table."""
    try:
        return sweep.train(schedule, store, launcher), False
    except KeyboardInterrupt:
        return [], True


def _close(
    sweep: Sweep,
    schedule: Schedule,
    store: Store,
    run: "TrackedRun | None",
    failures: Sequence[Failure],
    interrupted: bool,
) -> str:
    """End runs whose process has died, read all runs back and show them; returns what is wrong."""
    from pipeline.cli.results_table import show_links
    from pipeline.tracking.links import ViewedSweep, save_sweep_view
    from pipeline.tracking.lost_runs import end_lost_runs
    from pipeline.tracking.queries import sweep_results

    plan, sweep_id, criterion = sweep.plan, schedule.sweep_id, sweep.criterion
    experiments = [store.experiment(name) for name in plan.experiments]
    ids = [one.experiment_id for one in experiments]
    end_lost_runs(store, ids, sweep_id, interrupted)
    results = sweep_results(store, experiments, sweep_id, plan.varied, criterion)
    fault = sweep.conclude(schedule, results, failures, run)
    view = ViewedSweep(sweep_id, sweep.title, plan.varied_parameters, criterion)
    show_links(save_sweep_view(store, ids[0], view))
    return fault


def command() -> str:
    """What was typed, without passwords."""
    return masked(shlex.join([*typed_program("train"), *sys.argv[1:]]))
