"""Finished jobs on a real server, with what the server was asked and sent."""

import json
from dataclasses import replace

import pytest
import requests
from mlflow.entities import LifecycleStage, ViewType

from pipeline.tracking import attempts, finished_jobs, names
from pipeline.tracking.attempts import standings
from pipeline.tracking.queries import sweep_results
from pipeline.tracking.ranking import criterion
from pipeline.tracking.store import Store
from pipeline.tracking.sweep_run import sweep_run

JOBS = [f"job{number}" for number in range(8)]
_ACTIVE = LifecycleStage.ACTIVE


class DoneSweep:
    """A sweep whose jobs are all done, and whose own run keeps their runs."""

    def __init__(self, address):
        self.store, self.sweep_id = Store(address), "finished"
        self.experiment = self.store.experiment("finished jobs")
        self.id = self.experiment.experiment_id
        self.runs = {job: self.add(job) for job in JOBS}
        self.changed = False
        self.keep()

    def tags(self, job):
        return {
            names.IDENTITY: job,
            names.PARITY: "exact",
            names.sweep_tag(self.sweep_id): "seed",
            "filler": "x" * 4000,
        }

    def add(self, job, status="FINISHED"):
        run = self.store.client.create_run(self.id, tags=self.tags(job))
        self.store.client.set_terminated(run.info.run_id, status)
        return run.info.run_id

    def keep(self):
        by = criterion("f1_macro")
        results = sweep_results(self.store, [self.experiment], self.sweep_id, [], by)
        with sweep_run(self.store, self.id, self.sweep_id, "a sweep") as run:
            kept = finished_jobs.finished_jobs(results)
            run.log_json(kept, names.FINISHED_JOBS)
        return kept

    def keep_text(self, text):
        self.changed = True
        with sweep_run(self.store, self.id, self.sweep_id, "a sweep") as run:
            run.log_text(text, names.FINISHED_JOBS)

    def restore(self):
        """Undo what a test has changed, in fewer requests than a new sweep takes."""
        jobs = {run_id: job for job, run_id in self.runs.items()}
        for run in self.store.client.search_runs([self.id], run_view_type=ViewType.ALL):
            if run.info.run_id in jobs:
                self._restore(run, jobs[run.info.run_id])
            elif names.IDENTITY in run.data.tags and run.info.lifecycle_stage == _ACTIVE:
                self.store.client.delete_run(run.info.run_id)
        self.keep()
        self.changed = False

    def _restore(self, run, job):
        client, run_id = self.store.client, run.info.run_id
        if run.info.lifecycle_stage != _ACTIVE:
            client.restore_run(run_id)
        if run.info.status != "FINISHED":
            client.update_run(run_id, status="FINISHED")
        for tag, value in self.tags(job).items():
            if run.data.tags.get(tag) != value:
                client.set_tag(run_id, tag, value)

    def still_finished(self):
        return finished_jobs.still_finished(
            self.store.uri, self.experiment.name, self.sweep_id, JOBS
        )

    def standings(self):
        return standings(self.store, self.experiment.name, JOBS, self.sweep_id)


@pytest.fixture(scope="module")
def done_sweep(mlflow_server):
    return DoneSweep(mlflow_server)


@pytest.fixture
def sweep(done_sweep, monkeypatch):
    with monkeypatch.context() as patch:
        patch.setattr(attempts, "_FEW", 1)
        patch.setattr(finished_jobs, "_COUNTED", 5)
        patch.setattr(finished_jobs, "_SMALLEST", 1)
        yield done_sweep
    if done_sweep.changed:
        done_sweep.restore()


@pytest.fixture
def received(monkeypatch):
    """The number of bytes of each answer."""
    sizes = []
    send = requests.Session.send

    def counted(*arguments, **options):
        answer = send(*arguments, **options)
        sizes.append(len(answer.content))
        return answer

    monkeypatch.setattr(requests.Session, "send", counted)
    return sizes


def test_done_jobs_are_known_without_reading_their_runs(sweep, received):
    found = sweep.standings()
    assert {job: one.run_id for job, one in found.items()} == sweep.runs
    assert all(one.state == "done" and one.listed for one in found.values())
    assert len(received) == 3 + 2 * 2  # the experiment, the sweep's run, what it keeps; two parts
    assert sum(received) < 6 * 4000  # a run for each question, and the sweep's own


def _delete(sweep):
    sweep.store.client.delete_run(sweep.runs["job3"])


def _delete_most(sweep):
    for job in JOBS[2:]:
        sweep.store.client.delete_run(sweep.runs[job])


def _fail(sweep):
    sweep.store.client.update_run(sweep.runs["job3"], status="FAILED")


def _find_damage(sweep):
    sweep.store.client.set_tag(sweep.runs["job3"], names.PARITY, "failed")


def _leave(sweep):
    """As when the job is trained again, which then fails."""
    sweep.store.client.delete_tag(sweep.runs["job3"], names.sweep_tag(sweep.sweep_id))
    sweep.add("job3", "FAILED")


def _train_again(sweep):
    sweep.store.client.delete_run(sweep.runs["job3"])
    sweep.add("job3")


def _start(sweep):
    sweep.store.client.update_run(sweep.runs["job7"], status="RUNNING")


@pytest.mark.parametrize(
    ("change", "changed"),
    [
        (_delete, {"job3": "new"}),
        (_delete_most, dict.fromkeys(JOBS[2:], "new")),
        (_fail, {"job3": "failed"}),
        (_find_damage, {"job3": "damaged"}),
        (_leave, {"job3": "done"}),
        (_train_again, {"job3": "done"}),
        (_start, {"job7": "interrupted"}),
    ],
    ids=lambda value: getattr(value, "__name__", ""),
)
def test_whatever_has_changed_since_is_noticed(sweep, monkeypatch, change, changed):
    sweep.changed = True
    change(sweep)
    found = sweep.standings()
    assert {job: one.state for job, one in found.items()} == dict.fromkeys(JOBS, "done") | changed
    monkeypatch.setattr(attempts, "still_finished", lambda *_: {})
    everything_read = {job: replace(one, ended=0) for job, one in sweep.standings().items()}
    assert {job: replace(one, ended=0) for job, one in found.items()} == everything_read


def test_a_run_that_the_server_has_never_had_is_not_done(sweep):
    sweep.keep_text(json.dumps(sweep.runs | {"job5": "0" * 32}))
    sweep.store.client.delete_run(sweep.runs["job5"])
    assert sweep.standings()["job5"].state == "new"


def test_runs_that_are_all_gone_are_asked_for_once(sweep, received):
    sweep.keep_text(json.dumps({job: f"{number:032}" for number, job in enumerate(JOBS)}))
    received.clear()
    assert (sweep.still_finished(), len(received)) == ({}, 3 + 2)


def test_what_was_kept_and_cannot_be_read_is_not_used(sweep):
    for damaged in ("{", "[1]", '{"job3": 3}', '{"job3": "a b"}'):
        sweep.keep_text(damaged)
        assert sweep.still_finished() == {}, damaged
    assert {one.state for one in sweep.standings().values()} == {"done"}


def test_a_server_that_pages_differently_is_not_counted_on(sweep, monkeypatch):
    monkeypatch.setattr(finished_jobs, "_token", lambda offset: f"page {offset}")
    sweep.changed = True
    sweep.store.client.delete_run(sweep.runs["job3"])
    found = sweep.standings()
    assert {job for job, one in found.items() if one.state != "done"} == {"job3"}


def test_a_job_with_two_finished_runs_is_left_out(sweep):
    sweep.changed = True
    sweep.add("job3")
    assert sweep.keep().keys() == {*JOBS} - {"job3"}


def test_the_jobs_of_a_new_experiment_are_not_searched_for_one_by_one(sweep, received):
    sweep.store.experiment(f"new {sweep.sweep_id}")
    received.clear()
    more = [f"more{number}" for number in range(60)]
    found = standings(sweep.store, f"new {sweep.sweep_id}", more, "s")
    assert {one.state for one in found.values()} == {"new"}
    assert len(received) < 6


def test_many_new_jobs_are_looked_for_at_once_in_a_small_experiment(sweep, received):
    more = [f"more{number}" for number in range(60)]
    received.clear()
    found = standings(sweep.store, sweep.experiment.name, [*more, "job3"], "s")
    assert {job for job, one in found.items() if one.state == "done"} == {"job3"}
    assert len(received) < 10
