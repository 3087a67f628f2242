"""A run's model as MLflow's own: listed, registered, served, moved and deleted."""

import mlflow
import pandas
import pytest

from pipeline.serving.package import save_served_model
from pipeline.tracking import names
from pipeline.tracking.artifacts import damage, local_folder
from pipeline.tracking.deletion import delete, plan_deletion
from pipeline.tracking.logged_models import finish_model, models_of, new_model, upload_model
from pipeline.tracking.move_runs import move_run, plan_move
from pipeline.tracking.store import open_local
from pipeline.tracking.tracked_run import TrackedRun, tracked_run
from tests.support.classifiers import PREPROCESSING, write_classifier
from tests.support.fresh_store import stock


def log_model(run):
    """Store weights and model in the way of a training."""
    with run.artifact_folder(names.WEIGHTS) as weights:
        write_classifier(weights)
        model = new_model(run)
        with run.artifact_folder(names.SERVED_MODEL) as packed:
            save_served_model(packed, weights, PREPROCESSING, logged=model)
            upload_model(run, model, packed)
    run.share(names.WEIGHTS, names.SERVED_MODEL)
    finish_model(run, model)
    return model.model_id


def train(store):
    """The id of a finished run with a model."""
    experiment = store.experiment("reviews").experiment_id
    tags = {names.SOURCE_NAME: "pipeline.train", names.USER: "ayu", names.PARITY: "exact"}
    with tracked_run(store, experiment, "units=4 l2=0.1", tags) as run:
        run.log_params({"units": 4})
        run.log_metrics({"test/f1_macro": 0.5, "test/loss": float("nan"), "test/f1/good": 0.25})
        run.log_metrics({"validation/f1_macro": 0.75, "loss/train": 0.1})
        log_model(run)
    return run.run_id


@pytest.fixture(scope="module")
def made_once(tmp_path_factory, template):
    """A store with a finished run, and the run's id, for tests that change neither."""
    store = open_local(stock(tmp_path_factory.mktemp("trained"), template))
    return store, train(store)


@pytest.fixture
def trained(store):
    return train(store)


def model_of(store, run_id):
    run = store.client.get_run(run_id)
    (model_id,) = models_of(run)
    (model,) = store.client.search_logged_models([run.info.experiment_id])
    assert model.model_id == model_id
    return model


def test_a_model_is_listed_with_the_run_and_shares_the_files_of_its_weights(made_once):
    store, trained = made_once
    model = model_of(store, trained)
    assert (model.name, model.params, model.source_run_id) == (
        "units=4 l2=0_1",
        {"units": "4"},
        trained,
    )
    assert model.status == "READY"
    folder = local_folder(model.artifact_location)
    run = local_folder(store.client.get_run(trained).info.artifact_uri)
    assert (folder / "artifacts/weights/model.keras").samefile(run / names.KERAS_MODEL)
    assert {path.relative_to(folder) for path in folder.rglob("*")} == {
        path.relative_to(run / "model") for path in (run / "model").rglob("*")
    }
    assert damage(run, [names.SERVED_MODEL, names.WEIGHTS]) == []


def test_a_model_is_listed_with_its_scores_and_its_origin(made_once):
    store, trained = made_once
    model = model_of(store, trained)
    scores = {metric.key: metric.value for metric in model.metrics}
    assert scores == {"test/f1_macro": 0.5, "validation/f1_macro": 0.75}
    assert model.tags == {names.SOURCE_NAME: "pipeline.train", names.USER: "ayu"}
    for name in ("test/f1_macro", "test/loss", "loss/train"):
        assert len(store.client.get_metric_history(trained, name)) == 1


def test_it_can_be_registered_and_served_by_version(made_once):
    store, trained = made_once
    earlier = mlflow.get_tracking_uri()
    mlflow.set_tracking_uri(store.uri)
    try:
        mlflow.register_model(model_of(store, trained).model_uri, "sentiment")
        mlflow.register_model(f"runs:/{trained}/model", "sentiment")
        for address in ("models:/sentiment/1", "models:/sentiment/2", f"runs:/{trained}/model"):
            model = mlflow.pyfunc.load_model(address)
            (answer,) = model.predict(pandas.DataFrame({"text": ["enak sekali"]}))
            assert answer["class"] in PREPROCESSING.classes
    finally:
        mlflow.set_tracking_uri(earlier)


def test_the_model_of_an_interrupted_attempt_is_replaced(store):
    experiment = store.experiment("reviews").experiment_id
    with pytest.raises(KeyboardInterrupt), tracked_run(store, experiment, "x", {}) as run:
        first = log_model(run)
        raise KeyboardInterrupt
    with tracked_run(store, experiment, "x", {}, resume=run.run_id) as again:
        second = log_model(again)
    listed = store.client.search_logged_models([experiment])
    assert [model.model_id for model in listed] == [second] != [first]


def test_it_is_deleted_with_its_run(store, trained):
    model = model_of(store, trained)
    delete(store, plan_deletion(store, trained))
    assert not local_folder(model.artifact_location).parent.exists()
    assert list(store.client.search_logged_models([model.experiment_id])) == []


def test_it_is_moved_with_its_run(made_once, tmp_path, template):
    store, _ = made_once
    (tmp_path / "target").mkdir()
    target = open_local(stock(tmp_path / "target", template))
    (move,) = plan_move(store, target, None).moves
    moved = model_of(target, move_run(store, target, move))
    assert (moved.name, moved.params) == ("units=4 l2=0_1", {"units": "4"})
    assert TrackedRun(target.client, moved.source_run_id).entity.info.status == "FINISHED"
    assert (local_folder(moved.artifact_location) / "MLmodel").is_file()
