"""A grid: every combination of the swept values is a job; finished jobs are not trained again."""

import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from typing import TYPE_CHECKING

from pipeline.cli.console import print_faults
from pipeline.cli.plan_summary import show_plan
from pipeline.errors import StoreAwayError, StoreError
from pipeline.reports.study.definition import parse_study
from pipeline.settings import SettingsError
from pipeline.settings.composer import CONF
from pipeline.settings.scores import selected_score
from pipeline.sweep.conduct import ConductedSweep, command
from pipeline.sweep.launchers import Failure, JobLauncher
from pipeline.sweep.naming import naming_keys
from pipeline.sweep.plan import SweepPlan
from pipeline.sweep.schedule import Schedule, launched_jobs, schedule_sweep
from pipeline.tracking import names
from pipeline.tracking.attempts import ACCEPTED
from pipeline.tracking.finished_jobs import finished_jobs
from pipeline.tracking.store import Store

if TYPE_CHECKING:
    from pipeline.tracking.queries import RunResult
    from pipeline.tracking.tracked_run import TrackedRun


class GridSweep(ConductedSweep):
    """The jobs of a plan, as one sweep.

    Raises:
        SettingsError: when the study's question, words or claim cannot be used.
    """

    def __init__(self, plan: SweepPlan):
        super().__init__(plan, plan.title)
        self._study = plan.jobs[0].values.get("study")
        if plan.study is not None:  # a fault is reported before anything is trained
            parse_study(self._study, plan.study)
        self._failures: list[Failure] = []

    @property
    def jobs(self) -> int:
        """The number of combinations."""
        return len(self.plan.jobs)

    def look_up(self, place: Store) -> Schedule:
        """Look up how far each job is, and show the plan."""
        schedule = schedule_sweep(self.plan, place)
        show_plan(self.plan, schedule, place.uri)
        return schedule

    @contextmanager
    def opened(self, store: Store) -> Iterator[None]:
        """Hold the sweep's own run; if the block succeeds, a study's report follows.

        Raises:
            StoreError: when jobs are left and the store is read-only; a finished sweep is shown.
        """
        self.store = store
        if store.read_only and (left := len(self.schedule.to_train)):
            raise StoreError(f"{store.folder} cannot be written to, and {left} jobs are not done.")
        with self._own_run(store) as self.run:
            self._join_members()
            yield
        if self.plan.study is not None and not store.read_only:
            self._report()

    @contextmanager
    def _own_run(self, store: Store) -> "Iterator[TrackedRun | None]":
        """Open the run of a sweep of several jobs, which keeps its plan and report.

        Yields None for a single job, in a read-only store, and while another process runs the same
        sweep.
        """
        jobs, sweep_id = self.schedule.jobs, self.schedule.sweep_id
        if store.read_only or (self.plan.study is None and len(jobs) == 1):
            yield None
            return
        from pipeline.tracking.claims import claim_if_free
        from pipeline.tracking.sweep_run import log_plan, sweep_run

        tags = {names.STUDY: self.plan.study} if self.plan.study else {}
        parameters = [scheduled.job.parameters for scheduled in jobs]
        with claim_if_free(store, f"sweep-{sweep_id}") as own:
            if own is None:
                yield None
                return
            experiment = own.experiment(self.plan.experiments[0]).experiment_id
            with sweep_run(own, experiment, sweep_id, self.title, tags) as run:
                select_by = selected_score(self.running.select_by, self.schedule.tasks)
                log_plan(run, command(), self.plan.varied, parameters, self._study, select_by)
                yield run

    def _join_members(self) -> None:
        """Add finished runs of other sweeps to this one; remove those that are trained again."""
        from pipeline.tracking.membership import join_sweep

        sweep_id = self.schedule.sweep_id
        for scheduled in self.schedule.done:
            if scheduled.standing.run_id and not scheduled.standing.listed:
                keys = naming_keys(scheduled.job.overrides, self.plan.varied)
                join_sweep(self.store, scheduled.standing.run_id, sweep_id, keys)
        for scheduled in self.schedule.superseded:
            if run_id := scheduled.standing.run_id:
                self.store.client.delete_tag(run_id, names.sweep_tag(sweep_id))

    def train(self, launcher: JobLauncher) -> None:
        """Launch the jobs that are left, all at once.

        Raises:
            StoreAwayError: when a job failed because the store stayed unreachable.
        """
        launched = list(launched_jobs(self.schedule, self.plan.varied, time.time()))
        if launched:
            self._failures = launcher.run(launched, self.store, self.running.fail_fast)
        if away := [failure.error for failure in self._failures if failure.store_away]:
            raise StoreAwayError(away[0])

    def conclude(self, results: "Sequence[RunResult]") -> str:
        """Show a row per run, and the command that trains what is left."""
        from pipeline.cli.results_table import show_results, show_way_on

        done = {scheduled.standing.run_id for scheduled in self.schedule.done}
        show_results(results, done, self.criterion)
        _show_lost_jobs(self._failures, results)
        show_way_on(command(), self.schedule, results)
        if self.run is not None and self.store.folder is None:
            self.run.log_json(finished_jobs(results), names.FINISHED_JOBS)
        good = sum(one.status == "FINISHED" and one.parity in ACCEPTED for one in results)
        jobs = len(self.schedule.jobs)
        unproven = jobs - good
        return f"{unproven} of {jobs} jobs failed or lack parity." if unproven else ""

    def _report(self) -> None:
        """Write a study's report; if that fails, the runs themselves are still good."""
        from pipeline.cli.report_summary import show_report
        from pipeline.reports.study.gathering import gather_sweep
        from pipeline.reports.study.write_report import write_report

        try:
            gathered = gather_sweep(self.store, CONF, self.schedule.sweep_id)
            data_dir = self.plan.jobs[0].settings.place.data_dir
            page, run_id = write_report(self.store, gathered, data_dir)
        except (StoreError, SettingsError) as error:
            print_faults([f"no report: {sentence}" for sentence in str(error).splitlines()])
        else:
            show_report(page, self.store, gathered.experiment_id, run_id, None)


def _show_lost_jobs(failures: Sequence[Failure], results: "Sequence[RunResult]") -> None:
    """Show the traceback of each job that failed before it had a run to keep it."""
    kept = {result.error for result in results}
    for failure in failures:
        if failure.error not in kept:
            print_faults([f"{failure.job}: {failure.error}", *filter(None, [failure.trace])])
