import os
import subprocess
import sys
import time

import psutil
import pytest

from pipeline.tracking import names
from pipeline.tracking.artifacts import local_folder
from pipeline.tracking.attempts import standings
from pipeline.tracking.heartbeats import is_alive, owner_tags
from pipeline.tracking.store import Store
from pipeline.tracking.tracked_run import tracked_run


@pytest.fixture
def attempt(store):
    """Log one run for a job; a status that no block could end with is set by hand."""
    experiment = store.experiment("here").experiment_id

    def log(identity, status="FINISHED", tags=None, epoch=0):
        own = {names.IDENTITY: identity, names.PARITY: "exact", **(tags or {})}
        with tracked_run(store, experiment, "run", own) as run:
            run.log_text("0.5", "weights/model.txt")
            if epoch:
                run.log_text("state", f"checkpoint/epoch-{epoch:06}.npz")
        if status != "FINISHED":
            store.client.update_run(run.run_id, status=status)
        return run.run_id

    return log


def one(store, identity="a"):
    return standings(store, "here", [identity], "s")[identity]


def dead_process():
    with subprocess.Popen([sys.executable, "-c", ""]) as process:
        pass
    return process.pid


def test_without_a_store_all_is_new(tmp_path):
    store = Store(f"sqlite:///{tmp_path}/mlflow.db", tmp_path)
    assert standings(store, "here", ["a", "b"], "s")["b"].state == "new"
    assert list(tmp_path.iterdir()) == []


def test_a_finished_run_is_done_in_its_experiment_only(store, attempt):
    run_id = attempt("a", tags={"sweep.s": 1})
    assert (one(store).state, one(store).run_id, one(store).listed) == ("done", run_id, True)
    assert one(store, "b").state == "new"
    assert standings(store, "elsewhere", ["a"], "s")["a"].state == "new"
    assert not standings(store, "here", ["a"], "other")["a"].listed


def test_the_furthest_run_counts(store, attempt):
    attempt("a", "FAILED")
    assert one(store).state == "failed"
    killed = attempt("a", "KILLED", epoch=6)
    assert (one(store).state, one(store).epoch, one(store).run_id) == ("interrupted", 6, killed)
    attempt("a")
    assert one(store).state == "done"


def test_a_pruned_run_is_not_taken_for_an_interrupted_one(store, attempt):
    run_id = attempt("a", "KILLED", {"pruned": "after epoch 6: hopeless"}, epoch=6)
    assert (one(store).state, one(store).epoch, one(store).run_id) == ("pruned", 6, run_id)
    attempt("a", "KILLED", epoch=2)
    assert one(store).state == "interrupted"


@pytest.mark.parametrize("lost", ["weights/model.txt", "manifest.json"])
def test_a_run_whose_artifacts_are_gone_is_not_done(store, attempt, lost):
    run_id = attempt("a")
    folder = local_folder(store.client.get_run(run_id).info.artifact_uri)
    (folder / lost).unlink()
    assert one(store).state == "damaged"


def test_a_run_whose_check_found_damage_is_not_done(store, attempt):
    attempt("a", tags={"parity": "failed"})
    assert one(store).state == "damaged"


def test_a_running_run_is_somebodys_or_nobodys(store, attempt):
    run_id = attempt("a", "RUNNING")
    assert one(store).state == "running"  # this very process is its owner
    host, machine, _, started = owner_tags()[names.OWNER].split()
    store.client.set_tag(run_id, names.OWNER, f"{host} {machine} {dead_process()} {started}")
    assert one(store).state == "interrupted"


def test_a_process_with_the_same_number_that_started_later_is_another():
    tags = owner_tags()
    assert is_alive(tags)
    host, machine, pid, started = tags[names.OWNER].split()
    assert not is_alive({names.OWNER: f"{host} {machine} {pid} {float(started) - 60:.0f}"})
    assert not is_alive({})
    assert psutil.pid_exists(os.getpid())


def test_a_step_of_the_clock_makes_no_process_another(monkeypatch):
    """The time at which a process was created is the boot's, by the clock, and ticks since."""
    tags = owner_tags()
    created = psutil.Process().create_time()
    monkeypatch.setattr(psutil.Process, "create_time", lambda _: created + 100)
    assert owner_tags()[names.OWNER] == tags[names.OWNER]
    assert is_alive(tags)


@pytest.mark.parametrize(("age", "alive"), [(0, True), (60, True), (600, False)])
def test_a_process_elsewhere_is_known_by_its_heartbeat(age, alive):
    tags = {names.OWNER: "another-host its-boot/1 1 1", names.HEARTBEAT: f"{time.time() - age:.0f}"}
    assert is_alive(tags) is alive


@pytest.mark.parametrize("owner", ["another-host its-boot/1 1 1", "another-host 1 1764232000.12"])
@pytest.mark.parametrize(("age", "alive"), [(0, True), (600, False)])
def test_a_process_of_an_earlier_version_is_known_by_its_old_tags(owner, age, alive):
    assert is_alive({"owner": owner, "heartbeat": f"{time.time() - age:.0f}"}) is alive
    here = owner_tags()[names.OWNER]
    assert is_alive({"owner": here})
    host, machine, _, started = here.split()
    assert not is_alive({"owner": f"{host} {machine} {dead_process()} {started}"})


def test_a_thousand_jobs_are_looked_up_at_once(store, attempt):
    attempt("500")
    found = standings(store, "here", [str(number) for number in range(1000)], "s")
    assert [key for key, standing in found.items() if standing.state == "done"] == ["500"]
