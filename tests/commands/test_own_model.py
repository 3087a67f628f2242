"""A model function of the user's, from one command to a run that is proven and stored with it."""

import pytest

from pipeline.tracking.store import open_local
from tests.support.commands import IN_PROCESS, TINY, call
from tests.support.my_models import write_models
from tests.support.sweeps import CNN


def test_a_function_of_ones_own_is_trained_proven_and_stored(stocked):
    write_models(stocked)
    command = ["model=my_models:textcnn", "width=2", *TINY, *IN_PROCESS]
    done = call("pipeline.train", *command, cwd=stocked)
    assert done.returncode == 0, done.stdout + done.stderr
    assert done.stdout.count("exact") == 1
    store = open_local(stocked)
    experiment = store.client.get_experiment_by_name("reviews")
    (run,) = store.client.search_runs([experiment.experiment_id], "params.model LIKE 'my_models%'")
    assert run.data.params["width"] == "2"
    stored = store.client.list_artifacts(run.info.run_id, "code")
    assert {item.path for item in stored} == {"code/my_layers.py", "code/my_models.py"}

    for name in ("my_models.py", "my_layers.py"):  # a check needs the weights alone
        (stocked / name).unlink()
    again = call("pipeline.parity", f"run_id={run.info.run_id}", cwd=stocked)
    assert "exact" in again.stdout, again.stdout + again.stderr


@pytest.mark.slow
def test_a_model_that_numpy_does_not_support_is_tracked_without_a_claim(tmp_path):
    write_models(tmp_path)
    command = ["model=faulty_models:unsupported", "parity=optional,off", *TINY, *IN_PROCESS]
    done = call("pipeline.train", *command, cwd=tmp_path)
    assert done.returncode == 0, done.stdout + done.stderr
    store = open_local(tmp_path)
    experiment = store.client.get_experiment_by_name("reviews")
    query = "params.model = 'faulty_models:unsupported'"
    runs = store.client.search_runs([experiment.experiment_id], query)
    tags = {run.data.params["parity"]: run.data.tags for run in runs}
    assert tags["optional"]["parity"] == "unsupported"
    assert "Lambda" in tags["optional"]["parity.reason"]
    assert tags["off"]["parity"] == "off"
    for run in runs:
        stored = {item.path for item in store.client.list_artifacts(run.info.run_id, "weights")}
        assert "weights/model.keras" in stored
        assert "weights/model.card.npz" not in stored
    run_id = runs[0].info.run_id
    asked = call("pipeline.predict", f"run_id={run_id}", "a text", cwd=tmp_path)
    assert asked.returncode == 2
    assert asked.stderr.startswith(f"run_id={run_id} needs Keras to answer: NumPy does not ")
    assert len(asked.stderr.splitlines()) == 1


def test_a_function_that_fails_leaves_nothing_behind(tmp_path):
    write_models(tmp_path)
    before = {path.name for path in tmp_path.iterdir()}
    done = call("pipeline.train", "model=faulty_models:raises", "units=2,3", *TINY, cwd=tmp_path)
    assert done.returncode == 2
    assert done.stderr.splitlines() == [
        "model=faulty_models:raises raises RuntimeError: no 2",
        "model=faulty_models:raises raises RuntimeError: no 3",
    ]
    assert {path.name for path in tmp_path.iterdir()} - before <= {"__pycache__"}


@pytest.mark.slow
def test_a_fit_starts_from_a_run_or_a_file(tmp_path):
    small = [*CNN, *IN_PROCESS, *TINY]
    first = call("pipeline.train", *small, cwd=tmp_path)
    assert first.returncode == 0, first.stdout + first.stderr
    store = open_local(tmp_path)
    experiment = store.client.get_experiment_by_name("digits")
    (run,) = store.client.search_runs([experiment.experiment_id])
    file = next(tmp_path.rglob("weights/model.keras"))
    fine_tuned = [f"initial_weights={run.info.run_id[:8]},{file}", "learning_rate=1e-9"]
    again = call("pipeline.train", *small, *fine_tuned, cwd=tmp_path)
    assert again.returncode == 0, again.stdout + again.stderr
    runs = store.client.search_runs([experiment.experiment_id])
    (tuned,) = (one for one in runs if one.info.run_id != run.info.run_id)  # the same weights
    assert tuned.data.metrics["test/loss"] == pytest.approx(run.data.metrics["test/loss"])
    assert tuned.data.tags["parity"] == "exact"
    refused = call("pipeline.train", *small, "dense_units=9", fine_tuned[0], cwd=tmp_path)
    assert refused.returncode == 2
    assert refused.stderr.count("do not fit model=cnn") == 1
