"""A search on a Ray cluster of several nodes, all of them on this machine."""

import os
import re
import signal

import optuna
import psutil
import pytest
from optuna.trial import TrialState

from pipeline.tracking import names
from tests.support.processes import left_running
from tests.support.sweeps import CNN, kill_group, runs_of, start_anew

pytestmark = pytest.mark.slow

SEARCH = ["hydra/sweeper=optuna", *CNN, "learning_rate=choice(0.000001,0.01)", "seed=range(9)"]
SEARCH += ["hydra.sweeper.sampler=random", "resources.cpus=1", "resources.memory=500MB"]
SEARCH += ["hydra.sweeper.pruner_startup=1", "hydra.sweeper.pruner_warmup=2"]


@pytest.fixture
def cluster(monkeypatch):
    """A head that takes no jobs, and two nodes that take one each."""
    monkeypatch.setenv("RAY_worker_niceness", "0")  # Ray's default of 15 starves them on a busy CPU
    utils = pytest.importorskip("ray.cluster_utils", reason="Ray is not installed (the extra ray)")
    cluster = utils.Cluster(initialize_head=True, head_node_args={"num_cpus": 0})
    cluster.nodes = [cluster.add_node(num_cpus=1) for _ in range(2)]
    yield cluster
    cluster.shutdown()


class Search:
    """A search in the background, and what it has printed."""

    def __init__(self, cluster, folder, *options):
        where = ["hydra/launcher=ray", f"hydra.launcher.address={cluster.address}"]
        self.process = start_anew(*SEARCH, *where, *options, cwd=folder)
        self.output = ""

    def until(self, pattern, times):
        for line in self.process.stdout:
            self.output += line
            if len(re.findall(pattern, self.output)) >= times:
                return
        raise AssertionError(self.output)

    def end(self):
        self.output += self.process.stdout.read()
        return self.process.wait()


@pytest.fixture
def search(cluster, tmp_path):
    started = []

    def begin(*options):
        started.append(Search(cluster, tmp_path, *options))
        return started[-1]

    yield begin
    for one in started:
        kill_group(one.process)


def trials_in(folder):
    storage = f"sqlite:///{folder}/mlruns/optuna.db"
    (name,) = optuna.get_all_study_names(storage)
    return optuna.load_study(study_name=name, storage=storage).trials


def process_of(run):
    return int(run.data.tags[names.OWNER].split()[2])


def test_a_search_fills_the_nodes_prunes_and_loses_only_the_trial_of_a_lost_node(
    cluster, search, tmp_path
):
    going = search("epochs=12", "hydra.sweeper.n_trials=5", "hydra.sweeper.seed=20")
    going.until(r"/5 .* starts on", 2)  # both nodes are busy, and neither trial has ended
    assert len(runs_of(tmp_path)) == 2
    assert "epoch 12/12" not in going.output
    cluster.remove_node(cluster.nodes[0], allow_graceful=False)
    cluster.add_node(num_cpus=1)
    assert going.end() == 1, going.output
    states = [trial.state for trial in trials_in(tmp_path)]
    assert sorted(states[:2]) == [TrialState.COMPLETE, TrialState.FAIL], going.output
    assert TrialState.PRUNED in states[3:], going.output
    assert states.count(TrialState.FAIL) == 1
    (lost,) = (run for run in runs_of(tmp_path) if run.info.status == "FAILED")
    assert lost.data.tags["error"].startswith("its process died (")
    pruned = [run for run in runs_of(tmp_path) if names.PRUNED in run.data.tags]
    assert {run.info.status for run in pruned} == {"KILLED"}


@pytest.mark.long  # a cluster of its own; interrupted searches are resumed in test_search, too
def test_an_interrupted_search_leaves_nothing_running_and_resumes(cluster, search, tmp_path):
    options = ["epochs=3", "hydra.sweeper.n_trials=2"]
    first = search(*options)
    first.until(r"/2 .* starts on", 2)
    workers = [psutil.Process(process_of(run)) for run in runs_of(tmp_path)]
    workers[1].suspend()  # so it cannot end its run
    os.killpg(first.process.pid, signal.SIGINT)
    assert first.end() == 130, first.output
    one, suspended = (run.info.status for run in runs_of(tmp_path))
    assert suspended == "KILLED"
    assert one in ("KILLED", "FINISHED")  # the other may have been faster
    assert " left. To resume, run the same command" in first.output
    assert not left_running(workers, seconds=30)
    values = [trial.params for trial in trials_in(tmp_path)]
    again = search(*options)
    assert again.end() == 0, again.output
    finished = [one for one in trials_in(tmp_path) if one.state is TrialState.COMPLETE]
    assert [one.params for one in finished] == values
    assert [run.info.status for run in runs_of(tmp_path)] == ["FINISHED"] * 2


def test_a_need_that_no_node_meets_is_refused_before_anything_starts(search, tmp_path):
    refused = search("resources.memory=9000GB")
    assert refused.end() == 2
    assert "a job needs 1 core, 9216000MB of memory, and no node of the Ray" in refused.output
    assert not list(tmp_path.iterdir())
