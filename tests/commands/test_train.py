import io
import json
import os
import signal
import subprocess
import sys
import time
from urllib.parse import urlsplit

import mlflow
import numpy as np
import pytest
import yaml

import scratch_forward
from pipeline.errors import choices
from pipeline.settings.optimizer_arguments import keras_optimizers
from pipeline.sweep.cores import cores
from pipeline.tracking import names
from pipeline.tracking.fingerprints import stored_fingerprint
from pipeline.tracking.store import open_local
from tests.support.commands import IN_PROCESS, TINY, Sweep, call, environment
from tests.support.equal_weights import same_arrays
from tests.support.fresh_store import stock
from tests.support.once import once
from tests.support.sweeps import CNN, read_until, runs_of, start

REFUSALS = """
import json, sys
sys.modules.update(dict.fromkeys(["tensorflow", "keras", "mlflow"]))
from pipeline.train import main
for sys.argv[1:] in json.loads(sys.argv[1]):
    try:
        main()
    except SystemExit as end:
        print("ended with", end.code, file=sys.stderr)
"""
NO_TENSORFLOW = (
    "import sys; sys.modules.update(dict.fromkeys(['tensorflow','keras','mlflow']));"
    "from pipeline.train import main; main()"
)


def artifacts(store, run_id, folder=None):
    found = []
    for item in store.client.list_artifacts(run_id, folder):
        found += artifacts(store, run_id, item.path) if item.is_dir else [item.path]
    return sorted(found)


def load_text(store, run, path):
    return mlflow.artifacts.load_text(f"{run.info.artifact_uri}/{path}")


def test_the_main_job_gives_three_proven_runs(sweep):
    assert sweep.done.returncode == 0, sweep.done.stdout + sweep.done.stderr
    assert [run.info.run_name for run in sweep.runs] == ["units=4", "units=6", "units=8"]
    assert {run.info.status for run in sweep.runs} == {"FINISHED"}
    assert {run.data.tags["parity"] for run in sweep.runs} == {"exact"}
    assert len({run.data.tags["sweep"] for run in sweep.runs}) == 1


def test_every_hyperparameter_is_a_flat_parameter(sweep):
    params = sweep.runs[0].data.params
    assert params["model"] == "lstm"
    assert params["dataset"] == "reviews"
    assert params["units"] == "4"
    assert params["train_size"] == "60"
    assert {"layers", "mask", "padding", "optimizer", "optimizer.beta_1", "seed", "l2"} <= {*params}


def test_curves_have_one_point_an_epoch(sweep):
    run = sweep.runs[1]
    for name in ("loss/train", "loss/validation", "accuracy/train", "accuracy/validation"):
        history = sweep.store.client.get_metric_history(run.info.run_id, name)
        assert [metric.step for metric in history] == [1, 2]
    assert run.data.metrics["learning_rate"] == pytest.approx(0.001)
    assert run.data.metrics["epoch_seconds"] > 0


def test_scores_baseline_best_epoch_and_parity_are_metrics(sweep):
    metrics = sweep.runs[0].data.metrics
    expected = {
        *["test/loss", "test/accuracy", "test/f1_macro", "test/f1_weighted"],
        *["test/f1/negative", "test/f1/neutral", "test/f1/positive"],
        *["best/epoch", "best/loss_validation", "best/accuracy_validation", "parameters"],
        *["validation/f1_macro", "baseline/majority_f1_macro", "seconds"],
        *["parity/f1_keras", "parity/f1_scratch", "parity/f1_delta", "parity/agreement"],
        *["parity/max_abs_diff", "parity/mean_abs_diff", "parity/seconds_scratch"],
        *["parity/min_margin", "parity/certified_fraction"],
    }
    assert expected <= set(metrics)
    assert metrics["parity/f1_delta"] == 0
    assert metrics["parity/agreement"] == 1
    assert 0 < metrics["parity/max_abs_diff"] <= 1e-6
    assert metrics["parity/f1_keras"] == pytest.approx(metrics["test/f1_macro"])


def test_artifacts_are_complete_and_hold_no_pickle(sweep):
    run = sweep.runs[0]
    paths = artifacts(sweep.store, run.info.run_id)
    assert "model/MLmodel" in paths
    assert not [path for path in paths if path.endswith((".pkl", ".pickle"))]
    assert [path for path in paths if not path.startswith("model/")] == [
        "config/config.yaml",
        "config/overrides.yaml",
        "data/checksums.json",
        "environment/machine.json",
        "environment/packages.txt",
        "figures/accuracy.svg",
        "figures/confusion_matrix.svg",
        "figures/loss.svg",
        "log.txt",
        "manifest.json",
        "parity/class_scores.json",
        "parity/classification_reports.txt",
        "parity/mistakes.json",
        "parity/parity.json",
        "parity/worst_examples.json",
        "predictions/test.npz",
        "report.html",
        "reports/classification_report.txt",
        "weights/model.card.npz",
        "weights/model.keras",
        "weights/model.weights.h5",
        "weights/preprocessing.json",
    ]
    raw = (sweep.folder / "mlruns/artifacts" / run.info.run_id).glob("**/test.npz")
    with np.load(io.BytesIO(next(raw).read_bytes()), allow_pickle=False) as stored:
        assert stored["probabilities"].shape == (600, 3)
        assert stored["labels"].shape == (600,)


def test_a_run_says_what_made_it(sweep):
    run = sweep.runs[2]
    config = yaml.safe_load(load_text(sweep.store, run, "config/config.yaml"))
    assert config["units"] == 8
    assert "units=8" in yaml.safe_load(load_text(sweep.store, run, "config/overrides.yaml"))
    assert "tensorflow==" in load_text(sweep.store, run, "environment/packages.txt")
    assert len(stored_fingerprint(run.data.tags, "test")) == 16
    assert run.data.tags["data.synthetic"] == "True"
    assert run.data.tags["git.dirty"] in ("True", "False")
    assert len(run.data.tags["mlflow.source.git.commit"]) == 40


def test_both_reports_stand_side_by_side(sweep):
    text = load_text(sweep.store, sweep.runs[0], "parity/classification_reports.txt")
    assert text.splitlines()[0].split() == ["Keras", "|", "From", "scratch"]
    for line in text.splitlines()[2:]:
        left, _, right = line.partition("|")
        assert left.strip() == right.strip()
    document = json.loads(load_text(sweep.store, sweep.runs[0], "parity/parity.json"))
    assert document["tag"] == "exact"


def test_the_terminal_tells_plan_progress_results_and_where_to_look(sweep):
    out = sweep.done.stdout
    assert "3 runs: model=lstm units=4,6,8" in out
    assert "synthetic data" in out
    assert f"sqlite:///{sweep.folder}/mlruns/mlflow.db" in out
    assert "2/3 units=6 starts on reviews (synthetic data)" in out
    assert "epoch 2/2" in out
    assert "best" in out
    assert "  python -m pipeline.ui\n" in out
    assert "workflowType=machine_learning&viewStateShareKey=" in out
    assert sweep.done.stderr == ""


def test_nothing_is_written_outside_mlruns(sweep):
    assert [path.name for path in sweep.folder.iterdir()] == ["mlruns"]


FAULTY = [
    (
        ["-m", "units=32,-1,abc", "+bogus=1", "optimizer=foo"],
        [f"optimizer=foo must be {choices(keras_optimizers())}."],
    ),
    (
        ["-m", "units=32,-1,abc", "+bogus=1"],
        [
            "`bogus` is not an option of model=lstm.",
            "units=-1 must be a whole number, 1 or more.",
            "units=abc must be a whole number, 1 or more.",
        ],
    ),
    (["unit=64"], ["`unit` is not an option of model=lstm (did you mean `units`?)."]),
    (
        ["model=cnn", "dataset=nusax"],
        [
            "model=cnn reads images, but dataset=nusax holds texts; choose model=gru, "
            "model=lstm, model=rnn or model=transformer, or dataset=cifar10, dataset=digits or "
            "dataset=image_folder."
        ],
    ),
    (
        ["model=lst"],
        [
            "model=lst must be cnn, gru, keras_file, lstm, mlp, resnet, rnn or transformer "
            "(did you mean `lstm`?)."
        ],
    ),
]


def test_faulty_sweeps_are_refused_without_tensorflow_or_a_run(tmp_path):
    """All in one process: to start one costs more than to refuse a sweep."""
    done = subprocess.run(
        [sys.executable, "-c", REFUSALS, json.dumps([arguments for arguments, _ in FAULTY])],
        cwd=tmp_path,
        env=environment(),
        capture_output=True,
        text=True,
        check=False,
    )
    expected = [[*faults, "ended with 2"] for _, faults in FAULTY]
    assert done.stderr.splitlines() == [line for lines in expected for line in lines]
    assert list(tmp_path.iterdir()) == []


def test_help_describes_every_setting_without_tensorflow(tmp_path):
    command = [sys.executable, "-c", NO_TENSORFLOW, "--help", "model=cnn"]
    done = subprocess.run(
        command, cwd=tmp_path, env=environment(), capture_output=True, text=True, check=True
    )
    for key in ("filters=[32, 64]", "kernel_size=3", "early_stopping=off", "experiment="):
        assert key in done.stdout
    assert max(map(len, done.stdout.splitlines())) <= 80


def test_missing_data_is_one_sentence_and_no_run(tmp_path):
    proxy = {"https_proxy": "http://127.0.0.1:9", "http_proxy": "http://127.0.0.1:9"}
    done = call("pipeline.train", "dataset=nusax", "data_dir=none", cwd=tmp_path, **proxy)
    assert done.returncode == 2
    assert len(done.stderr.strip().splitlines()) == 1
    assert "(digits, reviews)" in done.stderr
    assert not (tmp_path / "mlruns").exists()


@pytest.fixture(scope="module")
def partly_failed(tmp_path_factory, template):
    """A job of `undisturbed`, after one whose penalty overflows at once."""
    jobs = ["pipeline.train", "-m", *CNN, "workers=1", "seed=0", "epochs=6", "l2=1e38,0.0"]
    made = once(
        tmp_path_factory, "partly_failed", lambda folder: call(*jobs, cwd=stock(folder, template))
    )
    return Sweep(*made)


def test_a_job_that_fails_does_not_stop_the_others(partly_failed):
    failed, finished = runs_of(partly_failed.folder)
    assert (failed.info.status, failed.data.params["l2"]) == ("FAILED", "1e+38")
    assert "DivergedError" in load_text(partly_failed.store, failed, "error/traceback.txt")
    assert (finished.info.status, finished.data.tags["parity"]) == ("FINISHED", "exact")
    assert partly_failed.done.returncode == 1
    assert "l2=1e+38: DivergedError: the loss is" in partly_failed.done.stdout


@pytest.mark.parametrize(
    "stop",
    [signal.SIGINT, pytest.param(signal.SIGTERM, marks=[pytest.mark.slow, pytest.mark.long])],
)
def test_stopping_leaves_a_killed_run_and_the_table(stocked, stop):
    process = start(*CNN, "epochs=2000", cwd=stocked)
    read_until(process, "epoch 1/2000")
    process.send_signal(stop)
    interrupted = time.monotonic()
    rest = process.stdout.read()
    assert process.wait() == 130
    assert time.monotonic() - interrupted < 60  # all epochs take minutes
    assert "KILLED" in rest
    (run,) = Sweep(stocked, None).runs
    assert run.info.status == "KILLED"
    assert "loss/train" in run.data.metrics


@pytest.mark.parametrize("awaited", [pytest.param("plan ", marks=pytest.mark.slow), "tracking "])
def test_ctrl_c_before_there_is_a_run_ends_the_command_without_a_word(tmp_path, awaited):
    command = [sys.executable, "-m", "pipeline.train", "-m", "model=rnn", "units=4,5"]
    process = subprocess.Popen(
        command,
        cwd=tmp_path,
        env=environment(PYTHONUNBUFFERED="1"),
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        start_new_session=True,
    )
    for line in process.stdout:
        if line.startswith(awaited):
            break
    os.killpg(process.pid, signal.SIGINT)  # as a terminal does: to every process of the command
    rest = process.stdout.read()
    assert process.wait() == 130
    assert "Traceback" not in rest


@pytest.mark.slow
def test_other_models_train_and_prove(stocked):
    options = ["model=rnn,cnn", "augment=true", *TINY, *IN_PROCESS]
    done = call("pipeline.train", "-m", *options, cwd=stocked)
    assert done.returncode == 0, done.stdout + done.stderr
    for name in ("rnn", "cnn"):
        assert f"model={name}" in done.stdout


@pytest.mark.slow  # a fit is repeated bit for bit in `test_fitting`
def test_the_same_settings_give_bit_identical_weights_and_metrics(undisturbed, partly_failed):
    """Runs of two sweeps, one of which trains it after another job, beside none."""
    timed = {"seconds", "epoch_seconds", "parity/seconds_scratch", "best/seconds"}
    (first,) = [run for run in runs_of(undisturbed) if run.data.params["seed"] == "0"]
    _, second = runs_of(partly_failed.folder)
    assert same_weights(first, second)
    for name in set(first.data.metrics) - timed:
        assert first.data.metrics[name] == second.data.metrics[name], name


def same_weights(*runs):
    one, other = (
        scratch_forward.load(urlsplit(run.info.artifact_uri).path + "/weights/model.keras")
        for run in runs
    )
    return same_arrays(one.get_weights(), other.get_weights())


@pytest.mark.slow
@pytest.mark.long  # the number of workers is tested for every model below
def test_two_workers_take_the_longest_jobs_first_and_come_to_the_weights_of_one(sweep, tmp_path):
    varied = ["units=4,6,8", "seed=0,1", "workers=2"]
    done = call("pipeline.train", "-m", "model=lstm", *varied, *TINY, cwd=tmp_path)
    assert done.returncode == 0, done.stdout + done.stderr
    spread = Sweep(tmp_path, done)
    same_seed = [run for run in spread.runs if run.data.params["seed"] == "0"]
    assert len(same_seed) == len(sweep.runs) == 3
    assert all(map(same_weights, sweep.runs, same_seed))
    last = max(spread.runs, key=lambda run: run.info.start_time)
    assert last.data.params["units"] == "4"
    compiled = {(run.data.tags[names.OWNER], run.data.params["units"]) for run in spread.runs}
    assert len(compiled) <= 4  # six if a worker took whatever comes next
    for run, store in ((sweep.runs[0], sweep.store), (spread.runs[0], spread.store)):
        machine = json.loads(load_text(store, run, "environment/machine.json"))
        assert machine["TF_NUM_INTRAOP_THREADS"] == "1"


@pytest.mark.slow
def test_the_number_of_workers_changes_no_weight_of_any_model(tmp_path):
    jobs = ["-m", "model=cnn,mlp", "dataset=digits", "seed=0,1", *TINY]
    found = {}
    for workers in ("1", "3"):
        (tmp_path / workers).mkdir()
        done = call("pipeline.train", *jobs, f"workers={workers}", cwd=tmp_path / workers)
        assert done.returncode == 0, done.stdout + done.stderr
        runs = Sweep(tmp_path / workers, done).runs
        found[workers] = {(run.data.params["model"], run.data.params["seed"]): run for run in runs}
    assert len(found["1"]) == 4
    for job, run in found["1"].items():
        assert same_weights(run, found["3"][job]), job


@pytest.mark.slow
def test_models_with_other_numbers_of_threads_train_in_one_sweep(stocked):
    done = call("pipeline.train", "-m", "model=lstm,mlp", "workers=1", *TINY, cwd=stocked)
    assert done.returncode == 0, done.stdout + done.stderr
    swept = Sweep(stocked, done)
    machines = {
        run.data.params["model"]: json.loads(load_text(swept.store, run, names.MACHINE))
        for run in swept.runs
    }
    threads = {model: machine["TF_NUM_INTRAOP_THREADS"] for model, machine in machines.items()}
    assert threads == {"lstm": "1", "mlp": str(min(4, cores()))}


@pytest.mark.slow
@pytest.mark.parametrize(
    ("data", "command"),
    [
        ("real_nusax", "model=lstm dataset=nusax units=4 bidirectional=false epochs=1"),
        ("real_cifar10", "model=cnn dataset=cifar10 train_size=500 epochs=1"),
    ],
)
def test_real_data_trains_and_proves(stocked, request, data, command):
    request.getfixturevalue(data)
    done = call("pipeline.train", *command.split(), *IN_PROCESS, cwd=stocked)
    assert done.returncode == 0, done.stdout + done.stderr
    assert "synthetic" not in done.stdout


@pytest.mark.slow
@pytest.mark.long  # trains for many epochs; what is flagged is tested without training
def test_an_unmasked_unidirectional_lstm_is_flagged_and_a_masked_one_is_not(stocked, real_nusax):
    options = ["model=lstm", "bidirectional=false", "dataset=nusax", "mask=false,true"]
    done = call("pipeline.train", "-m", *options, cwd=stocked)
    assert done.returncode == 0, done.stdout + done.stderr
    assert "mask=true skips it" in done.stdout
    store = open_local(stocked)
    experiment = store.client.get_experiment_by_name("nusax")
    found = store.client.search_runs([experiment.experiment_id], order_by=["params.mask ASC"])
    runs = [run for run in found if run.data.tags.get("kind") != "sweep"]
    flags = [run.data.tags["degenerate"] for run in runs]
    assert flags[0].startswith("predicts ")
    assert flags[1] == "no"
