import subprocess
import sys
from functools import partial

import pytest

from pipeline.sweep.job_loop import ListedJobs
from pipeline.sweep.schedule import LaunchedJob
from pipeline.sweep.workers.pool import Worker, misfit
from pipeline.tracking.store import open_local
from tests.support.commands import call_code

DEAF = """
import os, signal, sys, time
from pipeline.sweep.workers import worker

class Deaf:
    def __del__(self):
        os.kill(os.getpid(), signal.SIGTERM)
        time.sleep(0.01)

worker.initialize(sys.argv[1])
with worker._job():
    try:
        Deaf()
        time.sleep(20)
    except KeyboardInterrupt:
        print("interrupted")
"""

UNFIT = """
import os, signal, sys
from pathlib import Path
from pipeline.sweep.workers import worker
from pipeline.sweep.workers.events import EventWriter
from pipeline.sweep.launched_job import run_job

class Unfit(EventWriter):
    def epoch(self, epoch):
        try:
            os.kill(os.getpid(), signal.SIGTERM)
            for _ in range(10**6): pass
        except KeyboardInterrupt:
            raise TypeError("incompatible arguments") from None

worker.initialize(sys.argv[1])
with worker._job():
    try:
        run_job(VALUES, [], Unfit(Path("events")))
    except KeyboardInterrupt:
        print("interrupted")
"""

MEMORY = """
import os, psutil
from pipeline.settings import parse_settings
from pipeline.sweep.workers.pool import WorkerJobs

jobs = WorkerJobs()
with jobs.started([parse_settings(VALUES)], 2):
    worker = psutil.Process(jobs._workers[0].pool.schedule(os.getpid).result())
    print(worker.memory_full_info().uss)
"""


def test_an_interruption_that_falls_into_a_destructor_is_repeated(tmp_path):
    done = call_code(DEAF, str(tmp_path), cwd=tmp_path)
    assert done.stdout == "interrupted\n", done.stderr


def test_an_interruption_that_comes_out_as_another_error_leaves_a_killed_run(stocked, composed):
    values = composed("model=cnn", "filters=[4]")
    done = call_code(UNFIT.replace("VALUES", repr(values)), str(stocked), cwd=stocked)
    assert done.stdout == "interrupted\n", done.stderr
    client = open_local(stocked).client
    experiment = client.get_experiment_by_name("digits")
    (run,) = client.search_runs([experiment.experiment_id])
    assert run.info.status == "KILLED"
    assert "error" not in run.data.tags


@pytest.mark.slow
@pytest.mark.skipif(sys.platform != "linux", reason="workers are forked on Linux alone")
def test_workers_share_what_was_imported_for_them(composed):
    program = MEMORY.replace("VALUES", repr(composed("workers=2")))
    command = [sys.executable, "-c", program]
    done = subprocess.run(command, capture_output=True, text=True, timeout=120)
    assert done.returncode == 0, done.stderr
    assert int(done.stdout) < 100e6  # TensorFlow alone is three times as much


def worker(model, threads=1):
    return Worker(pool=None, gpus=None, model=model, threads=threads)


def values(threads=1, **settings):
    return {**settings, "sweep": {"threads": threads}}


@pytest.fixture
def jobs():
    """What `seed=0,1 units=4,8` gives."""
    return [
        LaunchedJob(f"{units} {seed}", values(units=units, seed=seed), [], cost=units)
        for seed in (0, 1)
        for units in (4, 8)
    ]


@pytest.mark.parametrize(("several", "order"), [(False, [0, 2, 1, 3]), (True, [1, 3, 0, 2])])
def test_jobs_of_a_model_follow_one_another_the_longest_first_for_several_workers(
    jobs, several, order
):
    listed, given, model = ListedJobs(jobs, False, several), list[int](), ""
    while found := listed.next(partial(misfit, worker(model), {model})):
        given.append(found[0])
        model = found[1].model
    assert given == order


def test_a_worker_gets_a_model_that_no_other_has(jobs):
    suits = partial(misfit, worker("", None), {"", jobs[0].model})
    assert min([2, 1, 3], key=lambda number: suits(jobs[number])) == 1


def test_a_worker_prefers_jobs_with_its_number_of_threads(jobs):
    jobs[0] = LaunchedJob("cnn", values(threads=4, filters=8), [], cost=1)
    for threads, chosen in ((1, 1), (4, 0)):
        suits = partial(misfit, worker("another", threads), set())
        assert min([0, 1], key=lambda number: suits(jobs[number])) == chosen
