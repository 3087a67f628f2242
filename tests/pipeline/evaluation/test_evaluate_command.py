"""The command and the function, on the run of an untrained model of texts."""

import json
import sys

import numpy as np
import pytest

import pipeline
from pipeline.data import load
from pipeline.evaluate import main
from pipeline.reports.study import statistics
from pipeline.tracking.artifacts import local_folder
from pipeline.tracking.store import open_local
from tests.support.fresh_store import stock
from tests.support.stored_runs import store_run

NEW = [("enak sekali", "positive"), ("tidak enak", "negative"), ("biasa saja", "neutral")]


@pytest.fixture(scope="module")
def made_once(tmp_path_factory, template):
    """A folder with a store, the store's latest run and another one."""
    folder = stock(tmp_path_factory.mktemp("stored"), template)
    store = open_local(folder)
    other = store_run(store, ("dataset=reviews", "train_size=60"))
    return folder, store_run(store), other


@pytest.fixture
def folder(made_once, monkeypatch):
    """The folder of the store, which is the working directory."""
    monkeypatch.chdir(made_once[0])
    monkeypatch.delenv("MLFLOW_TRACKING_URI", raising=False)
    monkeypatch.setenv("COLUMNS", "150")
    return made_once[0]


@pytest.fixture
def stored(made_once, folder):
    """The latest run. Each test that evaluates it does so under a name of its own."""
    return made_once[1]


@pytest.fixture
def evaluate(monkeypatch, capsys):
    """Run the command; gives its exit code, output and errors."""

    def run(*words):
        monkeypatch.setattr(sys, "argv", ["evaluate", *words])
        try:
            main()
        except SystemExit as end:
            return end.code, *capsys.readouterr()
        return 0, *capsys.readouterr()

    return run


def write(folder, rows, name="new.csv"):
    lines = ["text,label", *(f'"{text}",{label}' for text, label in rows)]
    (folder / name).write_text("\n".join(lines) + "\n", encoding="utf-8")
    return f"dataset.path={name}"


def test_scores_and_parity_on_a_file_are_shown_and_logged(stored, folder, evaluate):
    known = load("reviews", data_dir="data", train_size=30)
    copies = list(zip(known.train.texts[:2], known.train.labels[:2], strict=True))
    rows = NEW * 12 + [(text, known.classes[label]) for text, label in copies]
    code, out, err = evaluate("run_id=latest", write(folder, rows))
    assert (code, err) == (0, "")
    assert "2 of 38 examples are copies of training examples" in out
    assert "weighted avg" in out
    run = stored.client.get_run(stored.run_id)
    model = pipeline.load("latest")
    answers = [one.class_name for one in model([text for text, _ in rows])]
    right = np.mean([a == label for a, (_, label) in zip(answers, rows, strict=True)])
    assert run.data.metrics["evaluation/new/accuracy"] == pytest.approx(right)
    assert run.data.metrics["evaluation/new/parity/max_abs_diff"] < 1e-6
    kept = local_folder(run.info.artifact_uri) / "evaluations" / "new"
    assert {file.name for file in kept.iterdir()} == {
        *("classification_report.txt", "confusion_matrix.svg"),
        *("evaluation.json", "predictions.npz"),
    }
    told = json.loads((kept / "evaluation.json").read_text())
    assert told["parity"]["tag"] == "exact"
    assert told["data"]["copies_of_training_examples"] == 2


def test_runs_are_compared_with_the_best_one(made_once, folder, evaluate, monkeypatch):
    _, one, other = made_once
    monkeypatch.setattr(statistics, "_SAMPLES", 40)  # of 999, which take 10 s
    path = write(folder, NEW * 12, "compared.csv")
    table = pipeline.evaluate([one.run_id, other.run_id[:12]], path)
    assert set(table["run_id"]) == {one.run_id, other.run_id}
    assert table["f1_macro"].is_monotonic_decreasing
    best, second = table.to_dict("records")
    assert second["difference"] == pytest.approx(second["f1_macro"] - best["f1_macro"])
    assert second["low"] <= second["difference"] <= second["high"]
    assert np.isnan(best["difference"])
    code, out, _ = evaluate(f"run_id={one.run_id},{other.run_id}", path)
    assert code == 0
    assert f"{second['low']:+.4f} to {second['high']:+.4f}" in out


def test_the_test_data_of_the_run_give_its_test_scores(stored):
    (row,) = pipeline.evaluate("latest", "dataset=reviews", name="again").to_dict("records")
    metrics = stored.client.get_run(stored.run_id).data.metrics
    assert row["f1_macro"] == pytest.approx(metrics["test/f1_macro"])
    assert metrics["evaluation/again/loss"] == pytest.approx(metrics["test/loss"])


@pytest.mark.parametrize(
    ("words", "reason"),
    [
        (["dataset.path=new.csv"], "new.csv, line 3 has the label 'sad': expected one of negative"),
        (["dataset=digits"], "examples are arrays, but the run reads texts"),
        (["dataset.path=new.csv", "dataset.classes=[sad,positive]"], "the classes are"),
        (["dataset.path=none.csv"], "none.csv does not exist"),
        (["dataset=csv"], "dataset.path is not set"),
        (["dataset=reviews", "split=dev"], "split=dev must be test, train or validation"),
        (["dataset=reviews", "name=a/b"], "name=a/b must be"),
        (["dataset=review"], "did you mean `reviews`"),
        (["dataset=nowhere:load"], "there is no module nowhere"),
        (["dataset=csv", "dataset.path=new.csv", "split=train"], "line 3"),
    ],
)
def test_what_does_not_fit_the_run_is_one_sentence(stored, folder, evaluate, words, reason):
    before = stored.client.get_run(stored.run_id).data.metrics
    write(folder, [("enak", "positive"), ("buruk", "sad")])
    code, out, err = evaluate("run_id=latest", *words)
    assert (code, out) == (2, "")
    assert reason in err
    assert len(err.splitlines()) == 1
    assert stored.client.get_run(stored.run_id).data.metrics.keys() == before.keys()


def test_runs_have_to_be_chosen(folder, evaluate):
    assert evaluate("dataset=reviews")[0] == 2


def test_a_missing_class_is_told(folder, evaluate):
    _, out, _ = evaluate("run_id=latest", write(folder, NEW[:1] * 2, "one_class.csv"))
    assert "there is no example of negative, neutral" in out


def test_altered_weights_are_refused(stored, evaluate):
    folder = local_folder(stored.client.get_run(stored.run_id).info.artifact_uri)
    altered = folder / "weights" / "preprocessing.json"
    as_stored = altered.read_text()
    altered.write_text(f"{as_stored} ")
    code, _, err = evaluate("run_id=latest", "dataset=reviews")
    altered.write_text(as_stored)
    assert code == 2
    assert "weights/preprocessing.json is not the file that was stored" in err
