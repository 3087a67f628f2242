import re
from pathlib import Path

import numpy as np
import pytest

from pipeline.reports.run.write_page import write_run_page
from pipeline.tracking import names
from pipeline.tracking.tracked_run import TrackedRun
from pipeline.verification.check import side_by_side

CLASSES = ["good", "<b>bad"]
EXAMPLE = {
    "index": 7,
    "true": "good",
    "difference": 2e-7,
    "keras": {"good": 0.75, "<b>bad": 0.25},
    "scratch": {"good": 0.7500002, "<b>bad": 0.2499998},
    "text": "<script>alert('x')</script> enak",
    "picture": None,
}
AGREEMENT = {
    **{"f1_keras": 0.8, "f1_scratch": 0.8, "f1_delta": 0.0, "agreement": 1.0},
    **{"max_abs_diff": 2e-7, "mean_abs_diff": 1e-8, "certified_fraction": 0.99},
}


@pytest.fixture
def run(store):
    """A run in a real store, as it is before it has any artifact."""
    experiment = store.experiment("here").experiment_id
    tags = {"parity": "exact", "degenerate": "no", "git.dirty": "True", "data": "words: 4 <i>test"}
    tags["mlflow.source.git.commit"] = "a" * 40
    made = store.client.create_run(experiment, tags=tags, run_name="units=4 & more")
    return TrackedRun(store.client, made.info.run_id)


def log_all(run):
    run.log_params({"units": 4, "model": "lstm", "dataset": "words", "seed": 0})
    for epoch in (1, 2, 3):
        curves = {"loss/train": 1 / epoch, "loss/validation": 0.5 + abs(epoch - 2)}
        curves |= {"accuracy/train": epoch / 4, "accuracy/validation": 0.5}
        run.log_metrics({**curves, "learning_rate": 1e-3, "epoch_seconds": epoch}, step=epoch)
    scores = {"test/f1_macro": 0.8, "test/accuracy": 0.81, "baseline/majority_f1_macro": 0.33}
    run.log_metrics({**scores, "parity/max_abs_diff": 2e-7, "seconds": 12.34, "parameters": 4321})
    run.flush()
    run.log_text("- units=4\n- +note='a b'\n", "config/overrides.yaml")
    run.log_json({"cores": 2, "python": "3.11.7"}, "environment/machine.json")
    run.log_json({"classes": CLASSES}, "weights/preprocessing.json")
    run.log_text("Keras | From scratch\n----- | -----\n  0.8 |   0.8\n", REPORTS)
    parity = {"tag": "exact", "reason": "", "agreement": AGREEMENT, "errors": None, "seconds": 0.01}
    run.log_json(parity, "parity/parity.json")
    run.log_json([EXAMPLE], names.WORST_EXAMPLES)
    with run.artifact_folder("predictions") as folder:
        probabilities = np.array([[0.9, 0.1], [0.2, 0.8], [0.6, 0.4], [0.7, 0.3]], np.float32)
        labels = np.array([0, 1, 1, 0])
        np.savez(folder / "test.npz", probabilities=probabilities, labels=labels)


REPORTS = "parity/classification_reports.txt"


def page_of(run):
    write_run_page(run)
    return Path(run.client.download_artifacts(run.run_id, "report.html")).read_text("utf-8")


def test_the_page_tells_everything(run):
    log_all(run)
    page = page_of(run)
    for words in (
        *["<h1>units=4 &amp; more</h1>", "<b>0.800</b>", "majority class 0.330", "<b>exact</b>"],
        *["12.3", "4,321 parameters", "not committed", "least validation loss: epoch 2"],
        *["<dt>units</dt><dd>4</dd>", "<dt>seed</dt><dd>0</dd>", "Test example 7, truly good"],
        *["0.7500002", "99.00% of the classes", "3, 2.00 s each", "From scratch\n-----"],
        *["git checkout " + "a" * 40, "python -m pipeline.train units=4"],
    ):
        assert words in page, words
    headings = re.findall(r"<h2>(.*?)</h2>", page)
    assert headings == [
        *["Settings", "Data", "Training", "Scores", "Both classification reports", "Parity"],
        *["Where the two differ most", "Cost", "Do it again"],
    ]
    assert page.count("<svg") == 3
    assert page.index("<dt>units</dt>") < page.index("All other settings")  # set by hand: first


def test_the_confusion_matrix_counts_the_stored_predictions(run):
    log_all(run)
    figure = page_of(run).split("<svg")[3]
    counts = [int(n) for n in re.findall(r">(\d+)</text>", figure)]
    assert counts == [2, 0, 1, 1]  # rows: true good, true bad


def test_words_of_others_are_escaped(run):
    log_all(run)
    page = page_of(run)
    assert "<script" not in page
    assert "&lt;script&gt;alert(&#39;x&#39;)&lt;/script&gt; enak" in page
    assert "<b>bad" not in page
    assert "<i>test" not in page


def test_the_page_is_small_and_asks_nothing_of_the_network(run):
    log_all(run)
    page = page_of(run)
    assert len(page) < 20_000
    assert re.findall(r'(?:src|href|action)="|url\(|@import|http', page) == []
    assert "prefers-color-scheme: dark" in page


def test_a_run_that_stored_nothing_still_has_a_page(run):
    page = page_of(run)
    assert "<h1>units=4 &amp; more</h1>" in page
    assert "No epoch was stored." in page
    assert "not checked" in page
    assert "Where the two differ most" not in page


def test_spoiled_files_leave_a_page_without_them(run):
    log_all(run)
    run.log_text("{", names.WORST_EXAMPLES)
    run.log_text("not an archive", "predictions/test.npz")
    page = page_of(run)
    assert page.count("<svg") == 2
    assert "Where the two differ most" not in page


def test_reports_of_any_width_are_told_apart(run):
    log_all(run)
    wide = {"Keras": "macro | avg 1.0", "From scratch": "macro | avg 1.0"}
    run.log_text(side_by_side(wide), REPORTS)
    assert page_of(run).count("macro | avg 1.0</pre>") == 2
