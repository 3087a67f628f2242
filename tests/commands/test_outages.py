"""What a store, a disk or a data folder may do to a sweep, and what the sweep makes of it."""

import os
import shutil
import subprocess
import time
from contextlib import contextmanager

import psutil
import pytest
from mlflow import MlflowClient

from tests.support.commands import IN_PROCESS, call, serve
from tests.support.sweeps import SWEEP, kill_group, read_until, runs_of, start
from tests.support.unreliable_proxy import PASS, RandomFaults, unreliable

pytestmark = pytest.mark.slow


@contextmanager
def small_disk(folder, size):
    """A file system of its own in memory, for the length of a block."""
    folder.mkdir()
    mount = ["mount", "-t", "tmpfs", "-o", f"size={size}", "tmpfs", str(folder)]
    if os.geteuid() != 0 or subprocess.run(mount, capture_output=True, check=False).returncode:
        pytest.skip("a file system cannot be mounted here")
    try:
        yield
    finally:
        subprocess.run(["umount", "-l", str(folder)], check=True)


def processes_of(server):
    """The command that starts a server, and what answers requests."""
    command = psutil.Process(server.process.pid)
    return [command, *command.children(recursive=True)]


@pytest.mark.long  # two sweeps; what a fault of the store does is shown by a server that dies
def test_a_full_disk_fails_the_run_and_space_lets_it_go_on(tmp_path):
    disk = tmp_path / "disk"
    with small_disk(disk, "1400k"):
        command = [*SWEEP[:-2], "seed=0", "epochs=2", "workers=1"]
        full = call("pipeline.train", *command, cwd=disk, timeout=600)
        assert full.returncode == 1
        said = full.stdout + full.stderr
        assert "No space left" in said or "is full" in said
        assert said.count("Traceback") <= 1
        subprocess.run(["mount", "-o", "remount,size=64m", str(disk)], check=True)
        assert "FINISHED" not in [run.info.status for run in runs_of(disk)]
        again = call("pipeline.train", *command, cwd=disk, timeout=600)
        assert again.returncode == 0, again.stdout + again.stderr
        assert [run.info.status for run in runs_of(disk)] == ["FINISHED"]


@pytest.mark.long  # a minute of waiting, as with a server that dies
def test_a_store_that_is_deleted_ends_the_sweep_in_one_sentence(tmp_path):
    sweep = start(*SWEEP, "epochs=5000", "workers=1", cwd=tmp_path)
    read_until(sweep, "1/2 seed=0  epoch")
    shutil.rmtree(tmp_path / "mlruns")
    died = time.monotonic()
    rest = sweep.stdout.read()
    assert sweep.wait() == 1, rest
    assert time.monotonic() - died < 120
    assert "Traceback" not in rest
    assert "failed for 60 seconds: the database was moved or deleted. To resume, run" in rest
    assert not (tmp_path / "mlruns/mlflow.db").exists()


@pytest.mark.long  # a minute of waiting; requests that fail for a while are tested in units
def test_a_server_that_goes_away_for_a_while_is_waited_for(tmp_path):
    backend = f"sqlite:///{tmp_path}/mlflow.db"
    artifacts = ["--artifacts-destination", str(tmp_path / "artifacts")]
    server = serve(tmp_path, backend, *artifacts)
    with server as address:
        where = ["tracking=server", f"tracking.uri={address}", "workers=1"]
        sweep = start(*SWEEP, "epochs=60", *where, cwd=tmp_path)
        read_until(sweep, "1/2 seed=0  epoch")
        for process in processes_of(server):
            process.suspend()
        time.sleep(8)
        for process in processes_of(server):
            process.resume()
        rest = sweep.stdout.read()
        assert sweep.wait() == 0, rest
        assert rest.count("exact") + rest.count("close") >= 2


def test_a_server_that_dies_ends_the_sweep_in_about_a_minute_and_in_one_sentence(tmp_path):
    server = serve(tmp_path, f"sqlite:///{tmp_path}/mlflow.db")
    with server as address:
        where = ["tracking=server", f"tracking.uri={address}", "workers=1"]
        sweep = start(*SWEEP, "epochs=5000", *where, cwd=tmp_path)
        read_until(sweep, "1/2 seed=0  epoch")
        for process in processes_of(server):
            process.kill()
        died = time.monotonic()
        rest = sweep.stdout.read()
        assert sweep.wait() == 1, rest
        assert time.monotonic() - died < 120
    assert "Traceback" not in rest
    assert "has failed for 60 seconds: Connection refused. To resume, run the same" in rest


def test_a_sweep_on_a_server_goes_on_after_it_was_killed(mlflow_server, tmp_path):
    where = ["tracking=server", f"tracking.uri={mlflow_server}", "experiment=killed", "workers=1"]
    sweep = start(*SWEEP, "epochs=60", *where, cwd=tmp_path)
    read_until(sweep, "1/2 seed=0  epoch")
    time.sleep(1)
    kill_group(sweep)
    elsewhere = tmp_path / "elsewhere"
    elsewhere.mkdir()
    again = call("pipeline.train", *SWEEP, "epochs=60", *where, cwd=elsewhere)
    assert again.returncode == 0, again.stdout + again.stderr
    assert "1 interrupted (continues from epoch" in again.stdout, again.stdout
    done = call("pipeline.train", *SWEEP, "epochs=60", *where, "dry_run=true", cwd=elsewhere)
    assert "2 done" in done.stdout


@pytest.mark.long  # much as `test_unreliable_server`, with pauses before each retry
def test_a_sweep_whose_requests_are_lost_doubled_and_refused_ends_as_any_other(
    mlflow_server, tmp_path
):
    with unreliable(mlflow_server, RandomFaults(seed=0, share=0.05)) as (address, done):
        where = ["tracking=server", f"tracking.uri={address}", "experiment=unreliable"]
        swept = call("pipeline.train", *SWEEP, *where, cwd=tmp_path, timeout=900)
    assert swept.returncode == 0, swept.stdout + swept.stderr
    assert done.total() - done[PASS] > 10
    client = MlflowClient(mlflow_server)
    experiment = client.get_experiment_by_name("unreliable")
    found = client.search_runs([experiment.experiment_id])
    runs = [run for run in found if run.data.tags.get("kind") != "sweep"]
    assert sorted(run.data.params["seed"] for run in runs) == ["0", "1"]
    assert len(found) == 3  # with the sweep's own run
    assert {run.info.status for run in found} == {"FINISHED"}
    for run in runs:
        assert run.data.tags["parity"] in ("exact", "close")
        history = client.get_metric_history(run.info.run_id, "loss/train")
        assert [point.step for point in history] == list(range(1, 7))


def test_a_data_folder_that_cannot_be_written_is_no_trouble(real_nusax, tmp_path):
    data = tmp_path / "data"
    with small_disk(data, "8m"):
        shutil.copytree(real_nusax / "nusax", data / "nusax")
        subprocess.run(["mount", "-o", "remount,ro", str(data)], check=True)
        command = ["model=lstm", "dataset=nusax", "units=4", "train_size=60", "epochs=1"]
        command += [f"data_dir={data}", *IN_PROCESS]
        done = call("pipeline.train", *command, cwd=tmp_path)
        assert done.returncode == 0, done.stdout + done.stderr


def test_a_store_that_cannot_be_written_is_one_sentence(tmp_path):
    (tmp_path / "mlruns").write_text("a file where the folder should be")
    done = call("pipeline.train", *SWEEP, cwd=tmp_path)
    assert done.returncode == 2
    assert len(done.stderr.strip().splitlines()) == 1
    assert "mlruns cannot be written" in done.stderr
    assert not list(tmp_path.glob("mlruns/*"))
