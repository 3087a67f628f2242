"""The life of a sweep: the same command again goes on where it stopped, whatever stopped it."""

import os
import random
import re
import shutil
import signal
import time
from contextlib import suppress
from urllib.parse import urlsplit

import psutil
import pytest

import scratch_forward
from pipeline.tracking import names
from pipeline.tracking.store import open_local
from tests.support.commands import IN_PROCESS, MAIN_JOB, call, call_code
from tests.support.equal_weights import same_arrays
from tests.support.fresh_store import copy_store
from tests.support.my_fits import write_fits
from tests.support.processes import left_running
from tests.support.sweeps import (
    SWEEP,
    kill_group,
    read_until,
    runs_of,
    start,
    start_anew,
    wait_for_checkpoint,
)

TWO_JOBS_PER_WORKER = (
    "from pipeline.sweep.workers import pool; pool.JOBS_PER_WORKER = 2;"
    "from pipeline.train import main; main()"
)
TIMED = {"seconds", "epoch_seconds", "parity/seconds_scratch", "best/seconds"}


def workers_of(process):
    """The processes that a sweep's jobs run in: forked from one that the sweep has started."""
    started = psutil.Process(process.pid).children()
    return [worker for child in started for worker in child.children()]


def weights(run):
    return scratch_forward.load(
        urlsplit(run.info.artifact_uri).path + "/weights/model.keras"
    ).get_weights()


def assert_same_results(folder, undisturbed, epochs=6):
    """Every job finished once, its metrics with no gap and no double, its weights the same."""
    client = open_local(folder).client
    expected = {run.data.params["seed"]: run for run in runs_of(undisturbed)}
    found = runs_of(folder)
    assert sorted(run.data.params["seed"] for run in found) == sorted(expected)
    for run in found:
        other = expected[run.data.params["seed"]]
        assert run.info.status == "FINISHED"
        assert same_arrays(weights(run), weights(other))
        assert set(run.data.metrics) == set(other.data.metrics)
        for name in set(run.data.metrics) - TIMED:
            assert run.data.metrics[name] == other.data.metrics[name], name
        for name in run.data.metrics:
            steps = [metric.step for metric in client.get_metric_history(run.info.run_id, name)]
            of_epochs = name.split("/")[0] in ("loss", "accuracy", "learning_rate", "epoch_seconds")
            assert steps == (list(range(1, epochs + 1)) if of_epochs else [0]), name
        assert {run.data.tags["parity"]} == {other.data.tags["parity"]}
        assert not client.list_artifacts(run.info.run_id, "checkpoint")


@pytest.fixture
def copied(undisturbed, tmp_path):
    """The undisturbed sweep in a place of its own."""
    return copy_store(undisturbed, tmp_path / "copied")


def test_what_is_done_is_not_trained_again(sweep, tmp_path):
    folder = copy_store(sweep.folder, tmp_path / "copied")
    before = [(run.info.run_id, run.info.end_time) for run in runs_of(folder)]
    again = call("pipeline.train", *MAIN_JOB, cwd=folder)
    assert again.returncode == 0, again.stdout + again.stderr
    assert "3 done" in again.stdout
    assert "starts" not in again.stdout
    rows = [line for line in again.stdout.splitlines() if re.match(r"\w+ +units=", line)]
    assert [row.rstrip().endswith("done") for row in rows] == [True, True, True]
    assert [(run.info.run_id, run.info.end_time) for run in runs_of(folder)] == before


def test_a_larger_sweep_uses_what_a_smaller_one_did(sweep):
    plan = call("pipeline.train", *MAIN_JOB, "units=4,6,8,10", "dry_run=true", cwd=sweep.folder)
    assert plan.returncode == 0
    assert "3 done, 1 new" in plan.stdout
    assert "starts" not in plan.stdout
    assert len(runs_of(sweep.folder)) == 3


def test_a_dry_run_writes_nothing(tmp_path):
    done = call("pipeline.train", *SWEEP, "dry_run=true", cwd=tmp_path)
    assert done.returncode == 0
    assert "2 runs: model=cnn" in done.stdout
    assert list(tmp_path.iterdir()) == []


@pytest.mark.slow
def test_a_killed_sweep_goes_on_to_the_same_results(undisturbed, stocked):
    process = start(*SWEEP, cwd=stocked)
    wait_for_checkpoint(stocked)
    kill_group(process)
    plan = call("pipeline.train", *SWEEP, "dry_run=true", cwd=stocked).stdout
    assert "interrupted (continues from epoch" in plan
    again = call("pipeline.train", *SWEEP, cwd=stocked)
    assert again.returncode == 0, again.stdout + again.stderr
    assert_same_results(stocked, undisturbed)


@pytest.mark.slow
def test_a_killed_worker_costs_its_job_alone(stocked):
    process = start(*SWEEP, "epochs=30", "workers=1", cwd=stocked)
    read_until(process, "1/2 seed=0  epoch 1/30")
    (worker,) = workers_of(process)
    worker.kill()
    rest = process.stdout.read()
    assert process.wait() == 1
    first, second = runs_of(stocked)
    assert (first.info.status, second.info.status) == ("FAILED", "FINISHED")
    assert "killed by SIGKILL" in first.data.tags["error"]
    assert first.data.tags["error"] in rest
    assert "retry=failed" in rest
    plan = call("pipeline.train", *SWEEP, "epochs=30", "retry=failed", "dry_run=true", cwd=stocked)
    assert "1 done, 1 failed (will be retried); retry=failed: only 1 will be trained" in plan.stdout


@pytest.mark.slow
@pytest.mark.long  # workers that cannot answer are tested beside it
def test_a_sweep_whose_workers_lose_what_they_were_forked_from_ends_and_can_be_gone_on_with(
    tmp_path,
):
    sweep = [*SWEEP, "epochs=30", "workers=1"]
    process = start(*sweep, cwd=tmp_path)
    read_until(process, "1/2 seed=0  epoch 1/30")
    (worker,) = workers_of(process)
    worker.parent().kill()
    process.stdout.read()
    assert process.wait() == 1
    assert not left_running([worker], seconds=10)
    # By the sweep or by itself, who is quicker; the second job may be lost with the pool.
    assert runs_of(tmp_path)[0].info.status in ("FAILED", "KILLED")
    again = call("pipeline.train", *sweep, cwd=tmp_path)
    assert again.returncode == 0, again.stdout + again.stderr
    assert [run.info.status for run in runs_of(tmp_path)] == ["FINISHED", "FINISHED"]


@pytest.mark.slow
def test_a_sweep_with_nothing_to_train_leaves_no_process(copied):
    process = start_anew(*SWEEP, cwd=copied)
    read_until(process, "2 done")
    started = psutil.Process(process.pid).children()
    assert process.wait() == 0
    assert not left_running(started, seconds=2)
    process.stdout.close()


@pytest.mark.slow
def test_fail_fast_stops_at_the_first_failure(stocked):
    options = ["model=cnn", "filters=[4]", "l2=1e38,0.0", "seed=0,1", "epochs=2", "workers=1"]
    done = call("pipeline.train", "-m", *options, "fail_fast=true", cwd=stocked)
    assert done.returncode == 1
    statuses = [run.info.status for run in runs_of(stocked)]
    assert statuses[0] == "FAILED"
    assert "FINISHED" not in statuses
    assert "To resume, run the same command" in done.stdout


def by_seed(folder):
    return sorted(runs_of(folder), key=lambda run: run.data.params["seed"])


@pytest.mark.slow
def test_damaged_and_deleted_artifacts_are_found_and_made_again(copied, undisturbed):
    first, second = runs_of(copied)
    folder = copied / "mlruns/artifacts"
    corrupted = folder / first.info.run_id / "artifacts/weights/model.keras"
    content = bytearray(corrupted.read_bytes())
    content[len(content) // 2] ^= 1
    corrupted.write_bytes(bytes(content))
    checked = call("pipeline.parity", f"run_id={first.info.run_id}", cwd=copied)
    assert checked.returncode == 1
    assert "weights/model.keras is not the file that was stored" in checked.stdout
    (folder / second.info.run_id / "artifacts/weights/model.keras").unlink()
    again = call("pipeline.train", *SWEEP, cwd=copied)
    assert again.returncode == 0, again.stdout + again.stderr
    assert "2 damaged" in again.stdout
    runs = runs_of(copied)
    assert [run.info.run_id for run in runs[:2]] == [first.info.run_id, second.info.run_id]
    made = sorted(runs[2:], key=lambda run: run.data.params["seed"])
    for one, other in zip(made, by_seed(undisturbed), strict=True):
        assert same_arrays(weights(one), weights(other))
        assert one.data.metrics["test/f1_macro"] == other.data.metrics["test/f1_macro"]
        assert one.data.tags["parity"] == other.data.tags["parity"]
    tag = next(tag for tag in runs[3].data.tags if tag.startswith("sweep."))
    assert [tag in run.data.tags for run in runs] == [False, False, True, True]


@pytest.mark.slow
@pytest.mark.long  # much as damaged and deleted artifacts
def test_a_job_whose_weights_are_gone_is_trained_as_a_new_run_with_scores_of_its_own(tmp_path):
    job = ["model=lstm", "units=8", "epochs=3", "train_size=200", "learning_rate=0.01"]
    assert call("pipeline.train", *job, cwd=tmp_path).returncode == 0
    (old,) = runs_of(tmp_path)
    shutil.rmtree(tmp_path / f"mlruns/artifacts/{old.info.run_id}/artifacts/weights")
    again = call("pipeline.train", *job, cwd=tmp_path, TF_NUM_INTRAOP_THREADS="1")
    assert again.returncode == 0, again.stdout + again.stderr
    left, new = runs_of(tmp_path)
    assert left.info.run_id == old.info.run_id
    assert left.data.metrics == old.data.metrics
    assert new.data.tags["parity"] == "exact"  # which holds the scores against the predictions


@pytest.mark.slow
def test_rerun_trains_again_what_is_done(copied):
    before = runs_of(copied)
    again = call("pipeline.train", *SWEEP, "rerun=true", cwd=copied)
    assert again.returncode == 0, again.stdout + again.stderr
    after = runs_of(copied)
    assert [run.info.run_id for run in after[:2]] == [run.info.run_id for run in before]
    assert len(after) == 4
    tag = next(tag for tag in after[3].data.tags if tag.startswith("sweep."))
    assert [tag in run.data.tags for run in after] == [False, False, True, True]


@pytest.mark.slow
def test_two_sweeps_at_once_train_each_job_once(undisturbed, stocked):
    both = [start(*SWEEP, cwd=stocked) for _ in range(2)]
    printed = [process.stdout.read() for process in both]
    assert [process.wait() for process in both] == [0, 0], printed
    assert_same_results(stocked, undisturbed)


@pytest.mark.slow
def test_workers_end_when_their_sweep_is_killed(stocked):
    process = start_anew(*SWEEP, "epochs=3000", "workers=1", cwd=stocked)
    read_until(process, "epoch 1/3000")
    started = psutil.Process(process.pid).children(recursive=True)
    process.kill()
    process.wait()
    process.stdout.close()
    assert not left_running(started, seconds=20)
    assert [run.info.status for run in runs_of(stocked)] == ["KILLED"]


@pytest.mark.slow
def test_a_worker_that_cannot_answer_is_ended_and_its_run_killed(stocked):
    process = start_anew(*SWEEP[:-1], "epochs=400", cwd=stocked)
    wait_for_checkpoint(stocked)
    workers = workers_of(process)
    assert workers
    for worker in workers:
        worker.suspend()
    process.send_signal(signal.SIGINT)
    process.communicate(timeout=60)
    assert process.returncode == 130
    assert {run.info.status for run in runs_of(stocked)} == {"KILLED"}
    assert not left_running(workers, seconds=10)


@pytest.mark.slow
def test_a_worker_is_replaced_after_some_jobs(stocked):
    options = [*SWEEP[:-2], "seed=0,1,2", "epochs=1", "workers=1"]
    done = call_code(TWO_JOBS_PER_WORKER, *options, cwd=stocked)
    assert done.returncode == 0, done.stdout + done.stderr
    processes = [run.data.tags[names.OWNER] for run in runs_of(stocked)]
    assert sorted(map(processes.count, set(processes))) == [1, 2]


@pytest.mark.slow
@pytest.mark.long  # fifty starts of the command
def test_kills_at_random_moments_change_nothing(tmp_path):
    """Fifty kills, from the first import to the middle of training and the end of some jobs."""
    long = [*SWEEP, "epochs=150"]
    whole, disturbed = tmp_path / "whole", tmp_path / "disturbed"
    for folder in (whole, disturbed):
        folder.mkdir()
    assert call("pipeline.train", *long, cwd=whole).returncode == 0
    moments = random.Random(0)
    for _ in range(50):
        process = start(*long, cwd=disturbed)
        wait_and_drain(process, moments.uniform(0.5, 9))
        kill_group(process)
    again = call("pipeline.train", *long, cwd=disturbed)
    assert again.returncode == 0, again.stdout + again.stderr
    assert_same_results(disturbed, whole, epochs=150)


@pytest.mark.slow
@pytest.mark.long  # six starts of the command
def test_kills_while_artifacts_are_written_change_nothing(undisturbed, tmp_path):
    moments = random.Random(0)
    for _ in range(5):
        process = start(*SWEEP, cwd=tmp_path)
        for line in process.stdout:
            if "epoch 6/6" in line:
                time.sleep(moments.uniform(0, 0.6))
                break
        kill_group(process)
    again = call("pipeline.train", *SWEEP, cwd=tmp_path)
    assert again.returncode == 0, again.stdout + again.stderr
    assert_same_results(tmp_path, undisturbed)


def wait_and_drain(process, seconds):
    """Read what the command prints meanwhile, or it would stop at a full pipe."""
    printed = process.stdout.fileno()
    os.set_blocking(printed, False)
    end = time.monotonic() + seconds
    while time.monotonic() < end and process.poll() is None:
        with suppress(BlockingIOError):
            os.read(printed, 65536)
        time.sleep(0.05)


def test_how_a_sweep_is_run_is_checked(tmp_path):
    done = call("pipeline.train", "-m", "workers=0", "retry=none", "dry_run=maybe", cwd=tmp_path)
    assert done.returncode == 2
    assert done.stderr.splitlines() == [
        "workers=0 must be a whole number, 1 or more, or auto.",
        "retry=none must be all or failed.",
        "dry_run=maybe must be true or false.",
    ]
    swept = call("pipeline.train", "-m", "workers=1,2", cwd=tmp_path)
    assert swept.stderr.splitlines() == [
        "workers=1,2 names several; workers is one for a whole sweep."
    ]


@pytest.mark.slow
def test_a_fit_with_callbacks_starts_again_after_a_kill(stocked):
    write_fits(stocked)
    command = ["model=cnn", "filters=[4]", "dense_units=8", "epochs=30", *IN_PROCESS]
    command += ["callbacks=[my_fits:halving]"]
    first = start(*command, cwd=stocked)
    read_until(first, "epoch 1/30")
    kill_group(first)
    (killed,) = runs_of(stocked)
    assert "test/f1_macro" not in killed.data.metrics
    again = call("pipeline.train", *command, cwd=stocked)
    assert again.returncode == 0, again.stdout + again.stderr
    (run,) = runs_of(stocked)
    assert (run.info.run_id, run.info.status) == (killed.info.run_id, "FINISHED")
    history = open_local(stocked).client.get_metric_history(run.info.run_id, "learning_rate")
    assert [point.step for point in history] == list(range(1, 31))
    halved = [history[0].value / 2**epoch for epoch in range(30)]
    assert [point.value for point in history] == pytest.approx(halved, rel=1e-5)
