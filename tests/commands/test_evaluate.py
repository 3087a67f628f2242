"""Runs of images, of several labels and of numbers, evaluated; scikit-learn scores the answers."""

import json
from pathlib import Path
from types import SimpleNamespace

import numpy as np
import pytest
from PIL import Image
from sklearn import metrics

from pipeline.reports.study.reading import read_text
from pipeline.tracking import names
from pipeline.tracking.artifacts import local_folder
from scratch_forward import Classifier
from tests.support.commands import IN_PROCESS, Sweep, call
from tests.support.fresh_store import stock

pytestmark = pytest.mark.slow  # texts are evaluated in `test_evaluate_command`

FIT = ["epochs=3", "batch_size=16", *IN_PROCESS]


def evaluated(folder, run, *data):
    """Evaluate a run with the command; gives the client of its store, and the run as it then is."""
    run_id = run.info.run_id
    done = call("pipeline.evaluate", f"run_id={run_id}", "name=new", *data, cwd=folder)
    assert done.returncode == 0, done.stdout + done.stderr
    client = Sweep(folder, done).store.client
    return client, client.get_run(run_id)


def classifier_of(run):
    return Classifier.load(local_folder(run.info.artifact_uri) / names.WEIGHTS)


def in_order(answers, *keys):
    return np.array([[answer[key] for key in keys] for answer in answers], float)


def expect(stored, scores):
    """Compare what a run stored with scores computed here, and see them on its page."""
    client, run = stored
    for name, value in scores.items():
        logged = run.data.metrics[names.evaluation("new", name)]
        assert logged == pytest.approx(value, abs=1e-6), name
    assert run.data.metrics[names.evaluation("new", "parity/max_abs_diff")] < 1e-5
    page = read_text(client, run.info.run_id, names.PAGE)
    table = page.partition("<h2>Other data</h2>")[2].partition("</table>")[0]
    document = json.loads(read_text(client, run.info.run_id, names.evaluation_document("new")))
    shown = ("new", str(document["data"]["examples"]), document["parity"]["tag"])
    for cell in (*shown, *(f"{scores[name]:.4f}" for name in scores if "/" not in name)):
        assert f"<td>{cell}</td>" in table, cell


def draw(folder, count, seed):
    """Write pictures of two classes, told apart by their brightness; gives them with the labels."""
    random = np.random.default_rng(seed)
    pictures, labels = [], []
    for number in range(count):
        label = int(number % 3 == 0)
        picture = random.integers(0, 160 + 95 * label, (8, 8, 3)).astype(np.uint8)
        place = folder / ("dark", "light")[label]
        place.mkdir(parents=True, exist_ok=True)
        Image.fromarray(picture).save(place / f"{number}.png")
        pictures.append(picture)
        labels.append(label)
    return np.array(pictures), np.array(labels)


def test_a_run_of_images_is_scored_on_another_folder(tmp_path, template):
    folder = stock(tmp_path, template)
    draw(folder / "old", 60, seed=0)
    pictures, labels = draw(folder / "new", 30, seed=1)
    data = ["dataset=image_folder", "dataset.height=8", "dataset.width=8"]
    model = ["model=cnn", "filters=[4]", "dense_units=8"]
    done = call("pipeline.train", *model, *data, "dataset.path=old", *FIT, cwd=folder)
    assert done.returncode == 0, done.stdout + done.stderr
    (run,) = Sweep(folder, done).runs
    stored = evaluated(folder, run, data[0], "dataset.path=new")
    answers = classifier_of(stored[1])(pictures)
    predicted = np.array([answer.class_name == "light" for answer in answers])
    probabilities = in_order([answer.probabilities for answer in answers], "dark", "light")
    probabilities /= probabilities.sum(axis=1, keepdims=True)  # of rounding in float32
    expect(
        stored,
        {
            "f1_macro": metrics.f1_score(labels, predicted, average="macro"),
            "f1_weighted": metrics.f1_score(labels, predicted, average="weighted"),
            "accuracy": metrics.accuracy_score(labels, predicted),
            "loss": metrics.log_loss(labels, probabilities),
        },
    )


def arrays_of(targets, x):
    """Give two columns that depend on the inputs, as labels 0 and 1 or as numbers."""
    sums = np.stack([x[:, 0], x[:, 1] + x[:, 2]], axis=1)
    return (sums > 0.3).astype(np.int64) if targets == "labels" else sums


@pytest.fixture(scope="module")
def tables(tmp_path_factory, template):
    """A run on several labels and a regression, evaluated; the new arrays, the runs by task."""
    folder = stock(tmp_path_factory.mktemp("tables"), template)
    x = {part: np.random.default_rng(len(part)).normal(size=(60, 3)) for part in ("train", "test")}
    new = np.random.default_rng(2).normal(size=(30, 3))
    for targets in ("labels", "numbers"):
        y = {part: arrays_of(targets, x[part]) for part in x}
        old = {"x_train": x["train"], "y_train": y["train"]}
        np.savez(folder / f"{targets}.npz", **old, x_test=x["test"], y_test=y["test"])
        np.savez(folder / f"new_{targets}.npz", **old, x_test=new, y_test=arrays_of(targets, new))
    command = ["model=mlp", "widths=[8]", "dataset=npz", "dataset.path=labels.npz,numbers.npz"]
    done = call("pipeline.train", *command, *FIT, cwd=folder)
    assert done.returncode == 0, done.stdout + done.stderr
    runs = {}
    for run in Sweep(folder, done).runs:
        path = f"dataset.path=new_{Path(run.data.params['dataset.path']).name}"
        runs[run.data.tags[names.TASK]] = evaluated(folder, run, "dataset=npz", path)
    return SimpleNamespace(x=new, runs=runs)


def test_a_run_of_several_labels_is_scored_on_other_arrays(tables):
    stored, y = tables.runs["multilabel"], arrays_of("labels", tables.x)
    answers = classifier_of(stored[1])(tables.x)
    probabilities = in_order([one.probabilities for one in answers], "label_0", "label_1")
    predicted = probabilities > 0.5
    expect(
        stored,
        {
            "f1_macro": metrics.f1_score(y, predicted, average="macro"),
            "f1_micro": metrics.f1_score(y, predicted, average="micro"),
            "subset_accuracy": metrics.accuracy_score(y, predicted),
            "accuracy": metrics.accuracy_score(y.ravel(), predicted.ravel()),
            "loss": metrics.log_loss(y.ravel(), probabilities.ravel()),
        },
    )


def test_a_regression_is_scored_on_other_arrays(tables):
    stored, y = tables.runs["regression"], arrays_of("numbers", tables.x)
    answers = classifier_of(stored[1])(tables.x)
    values = in_order([answer.values for answer in answers], "target_0", "target_1")
    expect(
        stored,
        {
            "r2": metrics.r2_score(y, values),
            "mae": metrics.mean_absolute_error(y, values),
            "rmse": metrics.root_mean_squared_error(y, values),
            "loss": metrics.mean_squared_error(y, values),
        },
    )
