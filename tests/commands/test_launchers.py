"""Sweeps whose jobs run in other processes: Ray, joblib, submitit (the launcher of Slurm)."""

import json
import os
import re
import secrets
import signal
import subprocess
import sys
from pathlib import Path
from urllib.parse import urlsplit

import psutil
import pytest

import scratch_forward
from pipeline.tracking import names
from pipeline.tracking.store import Store, open_local
from tests.support.commands import IN_PROCESS, TINY, call, environment
from tests.support.equal_weights import same_arrays
from tests.support.ports import free_port, wait_for
from tests.support.processes import left_running

pytestmark = pytest.mark.slow

COMMAND = ["-m", "model=lstm", "units=4,6", *TINY]


def runs_in(store, experiment="reviews"):
    found = store.client.get_experiment_by_name(experiment)
    runs = store.client.search_runs([found.experiment_id], order_by=["params.units ASC"])
    return [run for run in runs if run.data.tags.get("kind") != "sweep"]


def assert_complete(store, done, experiment="reviews"):
    assert done.returncode == 0, done.stderr + done.stdout
    runs = runs_in(store, experiment)
    assert [run.data.params["units"] for run in runs] == ["4", "6"]
    assert [run.info.status for run in runs] == ["FINISHED"] * 2
    assert [run.data.tags["parity"] for run in runs] == ["exact"] * 2


@pytest.mark.long  # Submitit is called through Hydra's launchers in the same way
def test_joblib(stocked):
    pytest.importorskip("joblib", reason="joblib is not installed (the extra joblib)")
    pytest.importorskip("hydra_plugins.hydra_joblib_launcher", reason="the extra joblib is missing")
    launcher = ["hydra/launcher=joblib", "hydra.launcher.n_jobs=2"]
    assert_complete(
        open_local(stocked), call("pipeline.train", *COMMAND, *launcher, cwd=stocked, timeout=900)
    )


def test_submitit_local(stocked):
    pytest.importorskip("submitit", reason="submitit is not installed (the extra slurm)")
    done = call(
        "pipeline.train", *COMMAND, "hydra/launcher=submitit_local", cwd=stocked, timeout=900
    )
    assert_complete(open_local(stocked), done)
    assert "Warning" not in done.stderr
    assert list((stocked / "mlruns/.submitit").glob("*/*_log.out"))
    assert [path.name for path in stocked.iterdir()] == ["mlruns"]


class RaySweep:
    """A sweep on a local Ray cluster, read line by line while it lasts."""

    def __init__(self, folder):
        self.folder = folder
        self.process = subprocess.Popen(
            [sys.executable, "-m", "pipeline.train", *COMMAND, "units=4,6,8", "hydra/launcher=ray"],
            cwd=folder,
            env=environment(),
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
        )
        self.output = ""

    def workers(self, jobs):
        """Process ids of the workers in which these jobs start."""
        started = set()
        for line in self.process.stdout:
            self.output += line
            if start := re.search(r"(\d)/3 .* starts on", line):
                started.add(int(start[1]))
            if set(jobs) <= started:
                return self.owners()
        raise AssertionError(self.output)

    def owners(self):
        units = {"4": 1, "6": 2, "8": 3}
        return {
            units[run.data.params["units"]]: int(run.data.tags[names.OWNER].split()[2])
            for run in runs_in(open_local(self.folder))
        }

    def end(self):
        self.output += self.process.stdout.read()
        return self.process.wait()


@pytest.fixture
def ray_sweep(stocked):
    pytest.importorskip("ray", reason="Ray is not installed (the extra ray)")
    sweep = RaySweep(stocked)
    yield sweep
    sweep.process.kill()
    sweep.process.wait()


def test_ray_runs_jobs_in_two_workers_and_the_death_of_one_costs_its_job_alone(ray_sweep, stocked):
    workers = ray_sweep.workers([3, 2])  # the longest come first
    assert workers[3] != workers[2]
    os.kill(workers[2], signal.SIGKILL)
    assert ray_sweep.end() == 1
    assert "WorkerCrashedError" in ray_sweep.output
    runs = runs_in(open_local(stocked))
    finished = {run.data.params["units"]: run for run in runs if run.info.status == "FINISHED"}
    assert finished["4"].data.tags["parity"] == finished["8"].data.tags["parity"] == "exact"
    (lost,) = (run for run in runs if run.info.status != "FINISHED")
    assert (lost.info.status, lost.data.tags["error"]) == (
        "FAILED",
        "its process died (WorkerCrashedError).",
    )


@pytest.mark.long  # Ctrl-C of a sweep without Ray is tested, too
def test_an_interrupted_ray_sweep_marks_its_runs(ray_sweep, tmp_path):
    workers = ray_sweep.workers([3, 2])
    stopped = psutil.Process(workers[2])
    stopped.suspend()  # so it cannot mark its own
    ray_sweep.process.send_signal(signal.SIGINT)
    assert ray_sweep.end() == 130, ray_sweep.output
    assert {run.info.status for run in runs_in(open_local(tmp_path))} <= {"KILLED", "FINISHED"}
    assert not left_running([stopped], seconds=1)


def test_an_address_where_no_cluster_answers_is_one_sentence(tmp_path):
    pytest.importorskip("ray", reason="Ray is not installed (the extra ray)")
    launcher = ["hydra/launcher=ray", "hydra.launcher.address=127.0.0.1:9"]
    done = call("pipeline.train", *COMMAND, *launcher, cwd=tmp_path)
    assert done.returncode == 2
    assert done.stderr.startswith("hydra.launcher.address=127.0.0.1:9: no Ray cluster answers")
    assert len(done.stderr.splitlines()) == 1
    assert not list(tmp_path.iterdir())


@pytest.fixture
def blind_cluster(tmp_path):
    """A Ray cluster of two cores that cannot see `tmp_path`, as on another machine.

    Gives its address and the environment in which it is reached.
    """
    pytest.importorskip("ray", reason="Ray is not installed (the extra ray)")
    if subprocess.run(["unshare", "-m", "true"], capture_output=True, check=False).returncode:
        pytest.skip("a folder can be hidden from a process only where `unshare -m` is allowed")
    port = free_port()
    start = [sys.executable, "-m", "ray.scripts.scripts", "start", "--head", "--block"]
    start += ["--num-cpus=2", "--include-dashboard=false"]
    start += ["--node-ip-address=127.0.0.1", f"--port={port}"]
    hide = f"mount -t tmpfs none {tmp_path.parent} && cd / && exec {' '.join(start)}"
    token = {
        "RAY_USAGE_STATS_ENABLED": "0",
        "RAY_AUTH_MODE": "token",
        "RAY_AUTH_TOKEN": secrets.token_hex(32),
    }
    cluster = subprocess.Popen(["unshare", "-m", "sh", "-c", hide], env=environment(**token))
    wait_for(port)
    yield f"127.0.0.1:{port}", token
    cluster.terminate()
    cluster.wait(60)


@pytest.mark.long  # a cluster of its own, with an environment of its own
def test_ray_workers_need_no_file_of_the_machine_that_sweeps(
    blind_cluster, mlflow_server, tmp_path
):
    address, token = blind_cluster
    launcher = ["hydra/launcher=ray", f"hydra.launcher.address={address}"]
    where = ["tracking=server", f"tracking.uri={mlflow_server}", "experiment=blind"]
    done = call("pipeline.train", *COMMAND, *launcher, *where, cwd=tmp_path, timeout=900, **token)
    assert_complete(Store(mlflow_server), done, "blind")

    one = [*COMMAND, "units=4"]
    done = call("pipeline.train", *one, *launcher, cwd=tmp_path, timeout=900, **token)
    assert done.returncode == 1
    assert f"tracking=local: {tmp_path} is not on the machine" in done.stderr


def test_a_job_on_ray_has_the_weights_and_threads_that_it_has_here_whatever_its_cores(tmp_path):
    pytest.importorskip("ray", reason="Ray is not installed (the extra ray)")
    command = ["model=cnn", "filters=[4]", "dense_units=8", "epochs=1"]
    on_ray = ["hydra/launcher=ray", "resources.cpus=1", "resources.memory=500MB"]
    found = []
    for name, launcher in (("here", IN_PROCESS), ("there", on_ray)):
        (tmp_path / name).mkdir()
        done = call("pipeline.train", *command, *launcher, cwd=tmp_path / name, timeout=900)
        assert done.returncode == 0, done.stderr + done.stdout
        (run,) = runs_in(open_local(tmp_path / name), "digits")
        found.append(Path(urlsplit(run.info.artifact_uri).path))
    assert same_arrays(
        *(scratch_forward.load(one / "weights/model.keras").get_weights() for one in found)
    )
    here, there = (json.loads((one / "environment/machine.json").read_text()) for one in found)
    assert here["TF_NUM_INTRAOP_THREADS"] == there["TF_NUM_INTRAOP_THREADS"]
