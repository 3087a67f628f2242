"""The loop that a grid and a search share, with jobs that are only pretended to run."""

import pytest

from pipeline.sweep import job_loop
from pipeline.sweep.job_loop import JobLoop
from pipeline.sweep.launchers import Failure, no_preference
from pipeline.sweep.schedule import LaunchedJob
from pipeline.sweep.workers.watched_jobs import ProcessLostError, WatchedJob

EPOCH = {"number": 1, "loss_train": 1.0, "loss_validation": 1.0, "learning_rate": 0.1}
EPOCH |= {"measure_train": 0.5, "measure_validation": 0.5, "seconds": 1.0}


class Pretended:
    """A job that lasts some looks, and its events."""

    def __init__(self, looks, outcome=None):
        self.looks, self.outcome, self.pruned = looks, outcome, None

    def done(self):
        self.looks -= 1
        return self.looks < 0

    def running(self):
        return self.looks > 0

    def result(self):
        if isinstance(self.outcome, Exception):
            raise self.outcome
        return self.outcome

    def new(self):
        yield {"kind": "epoch", "epoch": EPOCH}

    def prune(self, reason):
        self.pruned, self.looks = reason, 0


class Places(JobLoop):
    def __init__(self, places, jobs):
        self.places, self.jobs, self.looks, self.ended = places, iter(jobs), 0, None

    @property
    def look_seconds(self):
        self.looks += 1
        return 0

    def _start_next(self, source, busy):
        found = source.next() if len(busy) < self.places else None
        if found is None:
            return None
        job = next(self.jobs)
        return WatchedJob(*found, job, job)

    def _end(self, busy, store):
        self.ended = [one.number for one in busy]


class Asked:
    """A source that notes how many jobs run when it is asked for another one."""

    stopped = False

    def __init__(self, left):
        self.left, self.given, self.told, self.judged = left, 0, [], None
        self.running_when_asked = []

    def next(self, preference=no_preference):
        if self.given == self.left:
            return None
        self.running_when_asked.append(self.given - len(self.told))
        self.given += 1
        return self.given - 1, launched(self.given - 1)

    def epoch(self, number, epoch):
        return self.judged

    def ended(self, number, failure):
        self.told.append((number, failure.error if failure else None))


def launched(number, cost=1):
    return LaunchedJob(f"job {number}", {"dataset": {"name": "digits"}, "epochs": 9}, [], cost)


def test_each_place_that_is_free_gets_a_new_trial_at_once():
    source, loop = Asked(5), Places(2, [Pretended(looks) for looks in (1, 9, 1, 1, 1)])
    loop.search(source, store=None)
    assert source.running_when_asked == [0, 1, 1, 1, 1]
    assert [number for number, _ in source.told] == [0, 2, 3, 4, 1]
    assert loop.ended == []


def test_places_that_become_free_together_are_filled_together():
    source, loop = Asked(5), Places(2, [Pretended(0) for _ in range(5)])
    loop.search(source, store=None)
    assert loop.looks == 3
    assert len(source.told) == 5


def test_a_verdict_reaches_the_job_and_a_lost_process_is_told_as_a_failure():
    jobs = [Pretended(9), Pretended(0, ProcessLostError("its process died (NodeDiedError)."))]
    source = Asked(2)
    source.judged = "hopeless."
    Places(2, jobs).search(source, store=None)
    assert jobs[0].pruned == "hopeless."
    assert (1, "its process died (NodeDiedError).") in source.told


def test_an_interruption_ends_the_jobs_that_run(monkeypatch):
    class Interrupted(Asked):
        def ended(self, number, failure):
            raise KeyboardInterrupt

    loop = Places(3, [Pretended(9), Pretended(0), Pretended(9)])
    with pytest.raises(KeyboardInterrupt):
        loop.search(Interrupted(3), store=None)
    assert loop.ended == [0, 2]


@pytest.mark.parametrize(("fail_fast", "failures", "running"), [(False, 2, []), (True, 1, [1])])
def test_a_grid_runs_to_its_end_or_to_its_first_failure(fail_fast, failures, running):
    fails = Failure("", "it failed", "")
    loop = Places(2, [Pretended(0, fails), Pretended(5), Pretended(0, fails)])
    found = loop.run([launched(number) for number in range(3)], None, fail_fast)
    assert [failure.error for failure in found] == ["it failed"] * failures
    assert loop.ended == running


def test_the_longest_jobs_come_first_only_if_several_run_at_a_time():
    jobs = [launched(number, cost) for number, cost in enumerate((1, 3, 2))]
    for several, order in ((True, [1, 2, 0]), (False, [0, 1, 2])):
        listed = job_loop.ListedJobs(jobs, fail_fast=False, several=several)
        assert [number for number, _ in iter(listed.next, None)] == order
