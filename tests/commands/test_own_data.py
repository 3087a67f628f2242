"""A user's own texts and images, from the command line to every use of a run."""

import csv
import shutil
from types import SimpleNamespace

import mlflow
import numpy as np
import pandas as pd
import pytest
import yaml
from PIL import Image

from pipeline.data import load
from pipeline.tracking.store import open_local
from pipeline.tracking.tracked_run import TrackedRun
from pipeline.verification.check import verify_run
from tests.support.commands import IN_PROCESS, call
from tests.support.fresh_store import stock

CLASSES = ("$buruk", "biasa/saja", "C++ :)")  # nothing that MLflow's names or a figure's text allow


def only_run(folder):
    store = open_local(folder)
    ids = [one.experiment_id for one in store.client.search_experiments()]
    (run,) = store.client.search_runs(ids)
    return store, run


def check(store, run_id, data_dir):
    return verify_run(TrackedRun(store.client, run_id), data_dir)


def ask(folder, run, *questions):
    done = call("pipeline.predict", f"run_id={run.info.run_id}", *questions, cwd=folder)
    assert done.returncode == 0, done.stderr
    return done.stdout


@pytest.fixture(scope="module")
def texts(tmp_path_factory, template):
    """A run on a CSV file as a spreadsheet writes it, of texts whose first word gives the class."""
    folder = stock(tmp_path_factory.mktemp("own texts"), template)
    with (folder / "ulasan saya.csv").open("w", newline="", encoding="utf-8-sig") as file:
        table = csv.writer(file, delimiter=";")
        table.writerow(["no", "ulasan", "kelas"])
        for number in range(150):
            label = number % 3
            table.writerow([number, f"kata{label} nomor {number}", CLASSES[label]])
    options = ["dataset=csv", "dataset.path=ulasan saya.csv", "dataset.text_column=ulasan"]
    options += ["dataset.label_column=kelas", "units=4", "epochs=8", "learning_rate=0.02"]
    options += ["bidirectional=false"]
    done = call("pipeline.train", *options, *IN_PROCESS, cwd=folder)
    assert done.returncode == 0, done.stdout + done.stderr
    store, run = only_run(folder)
    return SimpleNamespace(folder=folder, done=done, store=store, run=run)


def test_a_run_on_own_texts_is_proven_and_says_what_it_read(texts):
    assert texts.run.data.tags["parity"] == "exact"
    assert "105 train / 15 validation / 30 test, 3 classes" in texts.run.data.tags["data"]
    assert "(ulasan saya.csv, divided by a seeded stratified choice)" in texts.run.data.tags["data"]
    metrics = texts.run.data.metrics
    assert metrics["test/f1_macro"] == 1
    of_class = {name for name in metrics if name.startswith("test/f1/")}
    assert of_class == {"test/f1/_buruk", "test/f1/biasa_saja", "test/f1/C__ :_"}


def test_the_recorded_path_leads_there_from_any_folder(texts, tmp_path, monkeypatch):
    text = mlflow.artifacts.load_text(f"{texts.run.info.artifact_uri}/config/config.yaml")
    path = yaml.safe_load(text)["dataset"]["path"]
    assert path == str(texts.folder / "ulasan saya.csv")
    monkeypatch.chdir(tmp_path)
    assert check(texts.store, texts.run.info.run_id, "data").tag == "exact"


def test_a_moved_file_is_looked_for_in_the_data_directory(texts, tmp_path):
    own = texts.folder / "ulasan saya.csv"
    moved = shutil.move(own, tmp_path / own.name)
    try:
        run_id = texts.run.info.run_id
        assert check(texts.store, run_id, str(tmp_path)).tag == "exact"
        parity = check(texts.store, run_id, "none")
        assert parity.tag == "failed"
        assert parity.reason.endswith(
            f"dataset.path={own} does not exist, and neither does none/{own.name}."
        )
    finally:
        shutil.move(moved, own)
        check(texts.store, texts.run.info.run_id, "data")


def test_a_changed_file_is_stale(texts):
    own = texts.folder / "ulasan saya.csv"
    content = own.read_bytes()
    try:
        own.write_bytes(content + b"150;kata0 tambahan;$buruk\n")
        parity = check(texts.store, texts.run.info.run_id, "data")
        assert parity.tag == "stale"
        assert "the test set of dataset=csv has changed since the run" in parity.reason
    finally:
        own.write_bytes(content)
        check(texts.store, texts.run.info.run_id, "data")


def test_answers_carry_the_class_names(texts, tmp_path):
    assert ask(texts.folder, texts.run, "kata1 lagi").startswith("biasa/saja\t")
    (tmp_path / "baru.csv").write_bytes("\ufefftext;id\nkata2 baru;1\nkata0 itu;2\n".encode())
    answers = list(
        csv.DictReader(ask(texts.folder, texts.run, str(tmp_path / "baru.csv")).split("\n"))
    )
    assert [answer["class"] for answer in answers] == [CLASSES[2], CLASSES[0]]
    model = mlflow.pyfunc.load_model(f"{texts.run.info.artifact_uri}/model")
    (answer,) = model.predict(pd.DataFrame({"text": ["kata0 sekali"]}))
    assert answer["class"] == CLASSES[0]


@pytest.mark.slow
def test_own_images_are_trained_on_proven_and_answered(tmp_path):
    digits = load("digits", data_dir=tmp_path).train
    for number, (image, label) in enumerate(zip(digits.inputs, digits.labels, strict=True)):
        if label < 3:
            folder = tmp_path / "photos" / CLASSES[label].replace("/", "_")
            folder.mkdir(parents=True, exist_ok=True)
            grey = Image.fromarray(np.uint8(image[..., 0] * 255))
            name = f"{number}.{'png' if number % 2 else 'jpg'}"
            grey.resize((20 + number % 7, 24)).save(folder / name)
    options = ["model=cnn", "dataset=image_folder", "dataset.path=photos", "dataset.colour=false"]
    size = ["dataset.height=12", "dataset.width=10", "augment=true", "learning_rate=0.003"]
    done = call("pipeline.train", *options, *size, *IN_PROCESS, cwd=tmp_path)
    assert done.returncode == 0, done.stdout + done.stderr
    store, run = only_run(tmp_path)
    assert run.data.tags["parity"] == "exact"
    assert "24x20 to 24x26 pixels resized to 12x10" in run.data.tags["data"]
    assert run.data.metrics["test/f1_macro"] > 0.9
    assert check(store, run.info.run_id, "data").tag == "exact"
    checked = call("pipeline.parity", f"run_id={run.info.run_id}", "diagnose=true", cwd=tmp_path)
    assert "No layer differs" in checked.stdout
    files = sorted((tmp_path / "photos" / CLASSES[0]).iterdir())[:10]
    answers = ask(tmp_path, run, *(f"photos/{CLASSES[0]}/{file.name}" for file in files))
    given = [line.split("\t")[0] for line in answers.splitlines()]
    assert given.count(CLASSES[0]) >= 8
    (tmp_path / "photos" / CLASSES[0] / files[0].name).write_bytes(files[1].read_bytes())
    changed = check(store, run.info.run_id, "data").tag
    files[2].write_bytes(b"")
    assert changed in ("exact", "stale")  # exact, if the changed file is not in the test set
    parity = check(store, run.info.run_id, "data")
    assert parity.tag == "failed"
    assert f"{files[2].name} cannot be read: it is neither PNG nor JPEG" in parity.reason
