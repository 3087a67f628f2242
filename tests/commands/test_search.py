"""A search by the command line: its trials are runs like any other."""

import csv
import io
import os
import shlex
import signal

import mlflow
import optuna
import pytest
from optuna.trial import TrialState

from pipeline.tracking.store import open_local
from tests.support.commands import call
from tests.support.fresh_store import copy_store
from tests.support.once import once
from tests.support.sweeps import runs_of, start, wait_for_checkpoint

SMALL = ["hydra/sweeper=optuna", "workers=1", "model=cnn", "filters=[4]", "dense_units=8"]
SEARCH = [
    *SMALL,
    "epochs=2",
    "learning_rate=tag(log,interval(1e-3,1e-1))",
    "batch_size=choice(16,64)",
    "hydra.sweeper.n_trials=3",
]


def study_of(folder):
    storage = f"sqlite:///{folder}/mlruns/optuna.db"
    (name,) = optuna.get_all_study_names(storage)
    return optuna.load_study(study_name=name, storage=storage)


def told(folder):
    """What was chosen and what it gave, interrupted trials left out."""
    return [
        (trial.params, trial.value)
        for trial in study_of(folder).get_trials(states=(TrialState.COMPLETE,))
    ]


def sweeps_own_run(folder):
    client = open_local(folder).client
    everywhere = [one.experiment_id for one in client.search_experiments()]
    (own,) = client.search_runs(everywhere, "tags.kind = 'sweep'")
    return own


@pytest.fixture(scope="module")
def searched(tmp_path_factory):
    """The folder of a search of three trials, and what it printed."""
    return once(
        tmp_path_factory, "searched", lambda folder: call("pipeline.train", *SEARCH, cwd=folder)
    )


def test_trials_are_proven_runs_of_one_sweep(searched):
    folder, done = searched
    assert done.returncode == 0, done.stdout + done.stderr
    study, runs = study_of(folder), {run.info.run_id: run for run in runs_of(folder)}
    assert {run.info.status for run in runs.values()} == {"FINISHED"}
    assert {run.data.tags["parity"] for run in runs.values()} == {"exact"}
    assert {run.data.tags["sweep"] for run in runs.values()} == {study.study_name}
    assert [trial.state for trial in study.trials] == [TrialState.COMPLETE] * 3
    for trial in study.trials:
        run = runs[trial.user_attrs["run_id"]]
        assert trial.value == run.data.metrics["validation/f1_macro"]
        assert run.data.params["batch_size"] == trial.params["batch_size"]
        rate = float(run.data.params["learning_rate"])
        assert rate == pytest.approx(trial.params["learning_rate"], rel=1e-3)
        steps = list(trial.intermediate_values.values())
        history = open_local(folder).client.get_metric_history(
            run.info.run_id, "accuracy/validation"
        )
        assert steps == [metric.value for metric in history]


def test_the_best_is_told_with_the_command_that_trains_it(searched):
    folder, done = searched
    best = max(runs_of(folder), key=lambda run: run.data.metrics["validation/f1_macro"])
    line = next(line for line in done.stdout.splitlines() if line.startswith("  python -m"))
    command = shlex.split(line)
    assert command[:3] == ["python", "-m", "pipeline.train"]
    assert f"learning_rate={best.data.params['learning_rate']}" in command
    assert f"batch_size={best.data.params['batch_size']}" in command
    assert not [word for word in command if word.startswith("hydra")]
    row = next(line for line in done.stdout.splitlines() if line.rstrip().endswith("best"))
    assert f"{best.data.metrics['validation/f1_macro']:.4f}" in row


def test_the_searchs_own_run_keeps_figures_and_trials(searched):
    folder, _ = searched
    own = sweeps_own_run(folder)
    assert own.info.status == "FINISHED"
    assert own.data.tags["search"] == "validation/f1_macro"
    found = open_local(folder).client.list_artifacts(own.info.run_id, "search")
    assert [item.path for item in found] == [
        "search/optimization_history.png",
        "search/param_importances.png",
        "search/trials.csv",
    ]
    text = mlflow.artifacts.load_text(f"{own.info.artifact_uri}/search/trials.csv")
    rows = list(csv.DictReader(io.StringIO(text)))
    values = [float(row["validation/f1_macro"]) for row in rows]
    assert values == sorted(values, reverse=True)
    assert {row["run_id"] for row in rows} == {run.info.run_id for run in runs_of(folder)}


@pytest.mark.slow
def test_the_same_command_goes_on_until_there_are_enough(searched, tmp_path):
    folder = copy_store(searched[0], tmp_path / "copied")
    before = told(folder)
    plan = call("pipeline.train", *SEARCH, "dry_run=true", cwd=folder)
    assert plan.returncode == 0
    assert "3 complete" in plan.stdout
    same = call("pipeline.train", *SEARCH, cwd=folder)
    assert same.returncode == 0
    assert "starts on" not in same.stdout
    assert told(folder) == before
    more = call("pipeline.train", *SEARCH, "hydra.sweeper.n_trials=4", cwd=folder)
    assert more.returncode == 0, more.stdout + more.stderr
    assert more.stdout.count("starts on") == 1
    assert told(folder)[:3] == before
    assert len(told(folder)) == 4


@pytest.mark.slow
@pytest.mark.parametrize(
    "ending",
    [signal.SIGKILL, pytest.param(signal.SIGINT, marks=pytest.mark.long)],  # is milder
)
def test_a_search_that_was_ended_goes_on_to_the_same_trials(searched, stocked, ending):
    folder, _ = searched
    process = start(*SEARCH, cwd=stocked)
    wait_for_checkpoint(stocked)
    os.killpg(process.pid, ending)
    printed, _ = process.communicate(timeout=60)
    if ending == signal.SIGINT:
        assert process.returncode == 130
        assert "3 trials left. To resume, run the same command" in printed
        assert [run.info.status for run in runs_of(stocked)] == ["KILLED"]
    again = call("pipeline.train", *SEARCH, cwd=stocked)
    assert again.returncode == 0, again.stdout + again.stderr
    assert told(stocked) == told(folder)[:3]
    assert [run.info.status for run in runs_of(stocked)] == ["FINISHED"] * 3


@pytest.mark.slow
def test_a_hopeless_trial_is_ended_early_and_can_be_gone_on_with(stocked):
    search = [
        *SMALL,
        "epochs=12",
        "learning_rate=choice(0.000001,0.01)",
        *["hydra.sweeper.n_trials=4", "hydra.sweeper.sampler=random", "hydra.sweeper.seed=1"],
        *["hydra.sweeper.pruner_startup=1", "hydra.sweeper.pruner_warmup=2"],
    ]
    done = call("pipeline.train", *search, cwd=stocked)
    assert done.returncode == 0, done.stdout + done.stderr
    good, hopeless = runs_of(stocked)
    assert good.info.status == "FINISHED"
    assert hopeless.info.status == "KILLED"
    assert hopeless.data.tags["pruned"].startswith("after epoch ")
    assert "error" not in hopeless.data.tags
    epochs = open_local(stocked).client.get_metric_history(hopeless.info.run_id, "loss/train")
    assert 2 <= len(epochs) < 12
    states = [trial.state for trial in study_of(stocked).trials]
    assert (
        states == [TrialState.COMPLETE, TrialState.PRUNED] * 2
    )  # the latter are not trained again
    assert "pruned after epoch" in done.stdout

    sweep = [*SMALL[1:], "epochs=12", "learning_rate=0.000001"]
    plan = call("pipeline.train", *sweep, "dry_run=true", cwd=stocked)
    assert "1 pruned by a search (continues from there)" in plan.stdout
    finished = call("pipeline.train", *sweep, cwd=stocked)
    assert finished.returncode == 0, finished.stdout + finished.stderr
    run = open_local(stocked).client.get_run(hopeless.info.run_id)
    assert run.info.status == "FINISHED"
    assert "pruned" not in run.data.tags
    history = open_local(stocked).client.get_metric_history(run.info.run_id, "loss/train")
    assert [metric.step for metric in history] == list(range(1, 13))


@pytest.mark.slow
def test_a_search_survives_trials_that_fail(stocked):
    search = [*SMALL, "epochs=1", "l2=choice(0.0,1e38)", "seed=range(4)"]
    search += ["hydra.sweeper.n_trials=5", "hydra.sweeper.sampler=random", "workers=2"]
    stopped = call("pipeline.train", *search, "fail_fast=true", "workers=1", cwd=stocked)
    assert stopped.returncode == 1
    states = [trial.state for trial in study_of(stocked).trials]
    assert states.index(TrialState.FAIL) == len(states) - 1 < 4
    assert "left. To resume, run the same command" in stopped.stdout
    done = call("pipeline.train", *search, cwd=stocked)
    assert done.returncode == 1
    trials = study_of(stocked).trials
    assert len(trials) == 5
    for trial in trials:
        diverges = trial.params["l2"] == "1e+38"
        assert trial.state is (TrialState.FAIL if diverges else TrialState.COMPLETE)
    assert {trial.state for trial in trials} == {TrialState.FAIL, TrialState.COMPLETE}
    assert "DivergedError: the loss is nan" in done.stdout
    again = call("pipeline.train", *search, cwd=stocked)
    assert again.returncode == 1
    assert "starts on" not in again.stdout


@pytest.mark.slow
@pytest.mark.long  # a search on Ray and a sweep by each launcher are tested as well
@pytest.mark.parametrize(
    "launcher",
    [["hydra/launcher=joblib", "hydra.launcher.n_jobs=2"], ["hydra/launcher=submitit_local"]],
)
def test_a_search_by_another_launcher(stocked, launcher):
    options = [*launcher, "workers=2", "epochs=1"]
    done = call(
        "pipeline.train",
        *SMALL,
        *options,
        "seed=range(9)",
        "hydra.sweeper.n_trials=3",
        cwd=stocked,
    )
    assert done.returncode == 0, done.stdout + done.stderr
    assert "only hydra/launcher=workers and ray can end a trial early" in done.stdout
    assert len(told(stocked)) == 3


def test_a_faulty_search_is_refused_before_anything_trains(tmp_path):
    rate = "learning_rate=tag(log,interval(0,1e-1))"
    done = call("pipeline.train", *SMALL, rate, "bogus=1", cwd=tmp_path)
    assert done.returncode == 2
    assert done.stderr.splitlines() == [f"{rate} is tagged log, so it must begin above 0."]
    done = call("pipeline.train", *SMALL, "seed=1,2", "bogus=1", cwd=tmp_path)
    assert done.returncode == 2
    assert done.stderr.splitlines() == ["`bogus` is not an option of model=cnn."]
    done = call("pipeline.train", *SMALL, "seed=1,2", "hydra.sweeper.metric=f1", cwd=tmp_path)
    assert done.returncode == 2
    assert done.stderr.startswith("hydra.sweeper.metric=f1 is not a metric of runs on")
    assert list(tmp_path.iterdir()) == []


@pytest.mark.slow
@pytest.mark.long  # a search resumes from a local store, and sweeps from a server, in other tests
def test_a_search_whose_runs_are_on_a_server_is_taken_up_there(mlflow_server, tmp_path):
    where = ["tracking=server", f"tracking.uri={mlflow_server}", "experiment=searched"]
    two = [*SEARCH[:-1], *where, "hydra.sweeper.n_trials=2"]
    assert call("pipeline.train", *two, cwd=tmp_path).returncode == 0
    done = call("pipeline.train", *SEARCH, *where, cwd=tmp_path)
    assert done.returncode == 0, done.stdout + done.stderr
    assert "2 complete" in done.stdout
    client = mlflow.MlflowClient(mlflow_server)
    place = client.get_experiment_by_name("searched").experiment_id
    runs = client.search_runs([place], "tags.parity = 'exact'")
    trials = study_of(tmp_path).trials
    assert sorted(run.info.run_id for run in runs) == sorted(
        trial.user_attrs["run_id"] for trial in trials
    )
    assert len(trials) == 3
