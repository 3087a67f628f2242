import math

import pytest

from pipeline.errors import StoreError
from pipeline.tracking import names
from pipeline.tracking.links import ViewedSweep, save_sweep_view
from pipeline.tracking.move_runs import move_run, plan_move
from pipeline.tracking.ranking import criterion
from pipeline.tracking.store import open_local
from pipeline.tracking.tracked_run import tracked_run
from tests.support.fresh_store import stock

MANY = 1_200  # more points than MLflow takes in one request


@pytest.fixture
def target(tmp_path, template):
    """A second, empty store."""
    folder = tmp_path / "target"
    folder.mkdir()
    return open_local(stock(folder, template))


@pytest.fixture
def original(store, request):
    """A run with something of every kind, and as many points as a test asks for."""
    experiment = store.experiment("digits")
    with tracked_run(store, experiment.experiment_id, "units=64", {"sweep": "s"}) as run:
        run.log_params({f"param.{number}": number for number in range(130)})
        for step in range(getattr(request, "param", 3)):
            run.log_metrics({"loss/train": 1 / (step + 1)}, step)
        run.log_metrics({"diverged": math.nan, "largest": math.inf})
        run.log_text("hello ✓", "notes/deep/hello.txt")
        run.log_dataset("digits", "0123456789ab", "bundled")
    view = ViewedSweep("s", "units=64", ["units"], criterion("f1_macro"))
    save_sweep_view(store, experiment.experiment_id, view)
    return store.client.get_run(run.run_id)


def move_all(store, target):
    return [move_run(store, target, one) for one in plan_move(store, target, None).moves]


def history(store, run_id, key):
    points = store.client.get_metric_history(run_id, key)
    return [(point.step, point.timestamp, str(point.value)) for point in points]


@pytest.mark.parametrize("original", [MANY], indirect=True, ids=str)
def test_nothing_of_a_run_changes_but_its_id(store, target, original, tmp_path):
    (run_id,) = move_all(store, target)
    moved = target.client.get_run(run_id)
    assert moved.info.run_name == "units=64"
    for attribute in ("status", "start_time", "end_time"):
        assert getattr(moved.info, attribute) == getattr(original.info, attribute)
    assert moved.data.params == original.data.params
    assert moved.data.tags == original.data.tags | {names.ORIGIN: original.info.run_id}
    for key in original.data.metrics:
        assert history(target, run_id, key) == history(store, original.info.run_id, key)
    assert len(history(target, run_id, "loss/train")) == MANY
    assert moved.inputs.dataset_inputs[0].dataset.digest == "0123456789ab"
    target.client.download_artifacts(run_id, "notes", str(tmp_path))
    assert (tmp_path / "notes/deep/hello.txt").read_text() == "hello ✓"


def test_saved_views_go_along(store, target, original):
    move_all(store, target)
    view = "mlflow.sharedViewState.s"
    sent, arrived = (one.experiment("digits").tags[view] for one in (store, target))
    assert arrived == sent


def test_moving_again_moves_nothing(store, target, original):
    move_all(store, target)
    plan = plan_move(store, target, None)
    assert (plan.moves, plan.present, plan.ongoing) == ((), 1, 0)


def test_a_run_that_was_cut_short_is_completed(store, target, original, monkeypatch):
    (one,) = plan_move(store, target, None).moves
    with monkeypatch.context() as broken:
        broken.setattr("mlflow.MlflowClient.log_artifact", _cut_short)
        with pytest.raises(KeyboardInterrupt):
            move_run(store, target, one)
    (run_id,) = move_all(store, target)
    ids = [target.experiment("digits").experiment_id]
    assert [run.info.run_id for run in target.client.search_runs(ids)] == [run_id]
    assert target.client.get_run(run_id).info.status == "FINISHED"
    expected = history(store, original.info.run_id, "loss/train")
    assert history(target, run_id, "loss/train") == expected


def _cut_short(*_):
    raise KeyboardInterrupt


def test_an_artifact_that_arrives_damaged_is_told_and_the_run_not_finished(
    store, target, original, tmp_path, monkeypatch
):
    from mlflow import MlflowClient

    send = MlflowClient.log_artifact
    damaged = tmp_path / "hello.txt"
    damaged.write_text("hellp")

    def damage(client, run_id, file, folder):
        send(client, run_id, str(damaged) if file.endswith("hello.txt") else file, folder)

    monkeypatch.setattr(MlflowClient, "log_artifact", damage)
    with pytest.raises(StoreError, match=r"notes/deep/hello\.txt did not arrive as sent"):
        move_all(store, target)
    ids = [target.experiment("digits").experiment_id]
    assert [run.info.status for run in target.client.search_runs(ids)] == ["RUNNING"]


def test_a_run_that_still_runs_is_left(store, target):
    experiment = store.experiment("digits").experiment_id
    with tracked_run(store, experiment, "now", {}):
        plan = plan_move(store, target, None)
    assert (plan.moves, plan.present, plan.ongoing) == ((), 0, 1)


def test_one_experiment_can_be_chosen(store, target, original):
    other = store.experiment("reviews").experiment_id
    with tracked_run(store, other, "other", {}):
        pass
    plan = plan_move(store, target, "reviews")
    assert [one.source.info.run_name for one in plan.moves] == ["other"]
    with pytest.raises(StoreError, match=r"experiment=none is not in .*; it holds .*digits"):
        plan_move(store, target, "none")


def test_a_store_is_not_moved_to_itself(store):
    with pytest.raises(StoreError, match="is the store that the runs are in"):
        plan_move(store, store, None)
