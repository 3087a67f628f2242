import re

import numpy as np
import pytest

from pipeline.reports.run.run_page import write_run_page
from pipeline.reports.study.reading import read_text
from pipeline.tracking import names
from pipeline.tracking.tracked_run import TrackedRun

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
MISTAKE = {
    "index": 3,
    "true": "good",
    "predicted": "<b>bad",
    "probability_true": 0.013,
    "probability_predicted": 0.987,
    "text": "<i>tidak\x1b[31m enak",
    "picture": None,
}


def class_scores(f1):
    """What a run stores of each class; F1 of the second differs."""
    scores = {"precision": 0.5, "recall": 0.75, "support": 2}
    return [{"name": "good", "f1": 0.6, **scores}, {"name": "<b>bad", "f1": f1, **scores}]


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


def log_all(run, tag="exact"):
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
    run.log_json({"keras": class_scores(0.6), "scratch": class_scores(0.5)}, names.PARITY_SCORES)
    run.log_json([MISTAKE], names.MISTAKES)
    parity = {"tag": "exact", "reason": "", "agreement": AGREEMENT, "errors": None, "seconds": 0.01}
    run.log_json({**parity, "tag": tag}, "parity/parity.json")
    run.log_json([EXAMPLE], names.WORST_EXAMPLES)
    with run.artifact_folder("predictions") as folder:
        probabilities = np.array([[0.9, 0.1], [0.2, 0.8], [0.6, 0.4], [0.7, 0.3]], np.float32)
        labels = np.array([0, 1, 1, 0])
        np.savez(folder / "test.npz", probabilities=probabilities, labels=labels)


def page_of(run):
    write_run_page(run)
    return read_text(run.client, run.run_id, names.PAGE)


def test_the_page_tells_everything(run):
    log_all(run)
    page = page_of(run)
    for words in (
        *["<h1>units=4 &amp; more</h1>", "<b>0.800</b>", "majority class 0.330", "<b>exact</b>"],
        *["12.3", "4,321 parameters", "not committed", "least validation loss: epoch 2"],
        *["<dt>units</dt><dd>4</dd>", "<dt>seed</dt><dd>0</dd>", "Test example 7, true class good"],
        *[
            "0.7500002",
            "99.00% of the predicted classes",
            "3, 2.00 s each",
            "98.7&nbsp;%",
            "Test example 3",
        ],
        *["git checkout " + "a" * 40, "python -m pipeline.train units=4"],
    ):
        assert words in page, words
    headings = re.findall(r"<h2>(.*?)</h2>", page)
    assert headings == [
        *["Settings", "Data", "Training", "Scores", "Most confident mistakes", "Parity"],
        *["Cost", "Repeat this run"],
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
    assert "largest differences" not in page


def test_spoiled_files_leave_a_page_without_them(run):
    log_all(run)
    run.log_text("{", names.WORST_EXAMPLES)
    run.log_json([{"index": 7}], names.MISTAKES)
    run.log_text("not an archive", "predictions/test.npz")
    page = page_of(run)
    assert page.count("<svg") == 2
    assert "largest differences" not in page
    assert "Most confident mistakes" not in page


def test_both_classification_reports_are_one_table_with_a_difference(run):
    log_all(run)
    table = page_of(run).partition("<h3>Scores of each class")[2].partition("</table>")[0]
    rows = [re.findall(r"<td>(.*?)</td>", row) for row in table.split("<tr>")[2:]]
    assert rows == [
        ["good", "0.5000", "0.7500", "0.6000", "2", "0"],
        ["&lt;b&gt;bad", "0.5000", "0.7500", "0.6000", "2", "0.1000"],
    ]


def test_reports_of_an_earlier_version_are_shown_as_they_are(run):
    run.log_text("Keras | From scratch\n  0.8 |   <0.8\n", names.PARITY_REPORTS)
    assert "<pre>Keras | From scratch\n  0.8 |   &lt;0.8" in page_of(run)


@pytest.mark.parametrize(("tag", "opened"), [("exact", "<details>"), ("close", "<details open>")])
def test_differences_fold_away_when_parity_is_exact(run, tag, opened):
    log_all(run, tag)
    page = page_of(run)
    assert f"{opened}<summary>The test examples with the largest differences" in page
    assert page.index("Most confident mistakes") < page.index("largest differences")


def test_control_characters_are_shown_as_symbols(run):
    log_all(run)
    page = page_of(run)
    assert "&lt;i&gt;tidak␛[31m enak" in page
    assert "\x1b" not in page


def log_regression(run):
    """The same run, as a regression stores it."""
    run.set_tags({"task": "regression"})
    for epoch in (1, 2):
        curves = {"loss/train": 1 / epoch, "loss/validation": 0.5, "mae/train": 0.3}
        metrics = {**curves, "mae/validation": 0.4, "learning_rate": 1e-3, "epoch_seconds": 1}
        run.log_metrics(metrics, step=epoch)
    run.log_metrics({"test/r2": 0.7, "test/mae": 0.25, "baseline/mean_r2": -0.01})
    run.flush()
    run.log_json({"classes": ["width"]}, "weights/preprocessing.json")
    row = {"name": "width", "r2": 0.7, "mae": 0.25, "rmse": 0.5, "bias": 0.0, "support": 4}
    run.log_json({"keras": [row], "scratch": [{**row, "r2": 0.6}]}, names.PARITY_SCORES)
    mistake = {**MISTAKE, "probability_true": None, "probability_predicted": None}
    run.log_json([{**mistake, "true": "1.5", "predicted": "4.25"}], names.MISTAKES)
    scores = {f"{name}_{side}": 0.5 for name in ("r2", "mae") for side in ("keras", "scratch")}
    agreement = {**scores, "r2_delta": 0.0, "mae_delta": 0.0}
    agreement |= {"max_abs_diff": 2e-7, "mean_abs_diff": 1e-8}
    parity = {"tag": "exact", "reason": "", "agreement": agreement, "errors": None, "seconds": 1}
    run.log_json(parity, "parity/parity.json")
    with run.artifact_folder("predictions") as folder:
        values = np.array([[1.0], [2.0], [4.25], [3.0]], np.float32)
        np.savez(folder / "test.npz", values=values, labels=np.array([1, 2, 1.5, 3], np.float32))


def test_the_page_of_a_regression_has_errors_instead_of_classes(run):
    log_regression(run)
    page = page_of(run)
    for words in (
        *["test R²", "<b>0.700</b>", "mean of the training data -0.010", "Largest errors"],
        *["Squared-error loss", "Mean absolute error", "predicted values", "Scores of each target"],
        *["<dd>4.25</dd>", "<dt>true</dt><dd>1.5</dd>", "<td>0.2500</td>", "<td>0.1000</td>"],
    ):
        assert words in page, words
    for words in ("class", "F1", "confusion", "&nbsp;%"):
        assert words not in page.partition("</style>")[2].replace('class="', ""), words
    assert page.count("<svg") == 4
    assert page.count("<circle") >= 8
