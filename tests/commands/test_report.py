import csv
import io
import json
import re
import signal
import subprocess
import sys

import mlflow
import pytest

from pipeline.tracking import names
from pipeline.tracking.store import open_local
from tests.support.commands import IN_PROCESS, TINY, Sweep, call, environment
from tests.support.fresh_store import stock
from tests.support.sweeps import read_until, start

DIVERGING = ["dataset=reviews", *TINY, *IN_PROCESS]
SEEDS = "seed=0,1,2"
QUESTION = "Is it better to keep the maximum of each window or its average?"
NO_TENSORFLOW = (
    "import sys; sys.modules.update(dict.fromkeys(['tensorflow','keras']));"
    "from pipeline.report import main; main()"
)
IMAGES = ["cnn_depth", "cnn_filters", "cnn_kernel", "cnn_pooling"]
TEXTS = [
    *["rnn_depth", "rnn_units", "rnn_direction", "lstm_depth", "lstm_units", "lstm_direction"],
    *["padding_and_masking", "regularisation", "optimizer", "cell", "text_baseline"],
]


@pytest.fixture(scope="session")
def study(tmp_path_factory, template):
    """A study at a small size: two values, three seeds, images, which are quicker than texts."""
    folder = stock(tmp_path_factory.mktemp("study"), template)
    data = ["dataset=digits", "train_size=60", "filters=[4]", "dense_units=8", "epochs=2"]
    done = call("pipeline.train", "-m", "study=cnn_pooling", SEEDS, *data, *IN_PROCESS, cwd=folder)
    return Sweep(folder, done)


def own_run(store):
    everywhere = [one.experiment_id for one in store.client.search_experiments()]
    (run,) = store.client.search_runs(everywhere, "tags.kind = 'sweep'")
    return run


def artifact(store, run, path):
    return mlflow.artifacts.load_text(f"{run.info.artifact_uri}/{path}")


def test_a_study_ends_with_its_report(study):
    assert study.done.returncode == 0, study.done.stdout + study.done.stderr
    assert QUESTION in study.done.stdout
    assert re.search(r"pooling is best|No difference", study.done.stdout)
    assert "artifacts/report/report.html?workflowType=machine_learning" in study.done.stdout
    assert study.done.stderr == ""


def test_the_sweeps_own_run_keeps_plan_and_report(study):
    run = own_run(study.store)
    assert run.info.status == "FINISHED"
    assert run.data.tags["study"] == "cnn_pooling"
    plan = json.loads(artifact(study.store, run, "sweep/plan.json"))
    assert plan["command"].startswith("python -m pipeline.train -m study=cnn_pooling seed=0,1,2")
    assert plan["varied"] == ["pooling", "seed"]
    assert len(plan["jobs"]) == 6
    stored = {item.path for item in study.store.client.list_artifacts(run.info.run_id, "report")}
    assert stored == {
        f"report/{name}"
        for name in [
            *["report.html", "report.md", "runs.csv", "summary.csv", "verdict.json", "figures"],
        ]
    }
    drawn = study.store.client.list_artifacts(run.info.run_id, "report/figures")
    assert sorted(item.path.rpartition("/")[2] for item in drawn) == [
        f"{name}.{kind}"
        for name in ("accuracy", "differences", "forest", "loss")
        for kind in ("png", "svg")
    ]


def test_the_sweeps_own_run_is_not_one_of_its_runs(study):
    own = own_run(study.store)
    jobs = study.store.client.search_runs([own.info.experiment_id], "tags.`sweep` != ''")
    assert len(jobs) == 6


def test_the_page_is_whole_and_asks_nothing_of_the_network(study):
    page = artifact(study.store, own_run(study.store), "report/report.html")
    assert "prefers-color-scheme: dark" in page
    assert page.count("<svg") == 6  # forest, differences, and two panels each of loss and accuracy
    assert len(page) < 50_000
    linked = re.findall(r'(?:src|href|action)="([^"#][^"]*)"|url\(([^#)][^)]*)\)|@import', page)
    assert linked == []
    assert "<script" not in page
    assert f"<h1>{QUESTION}</h1>" in page
    for words in (
        *["3 seeds per setting", "(bundled with scikit-learn)", "The report said:", "not judged"],
        *["max pooling", "average pooling", "test macro F1", "Majority class", "Overfitting"],
        *["6 exact", "python -m pipeline.train -m study=cnn_pooling seed=0,1,2"],
        *["python -m pipeline.report study=cnn_pooling", "tensorflow 2.", "every planned run"],
    ):
        assert words in page, words


def test_numbers_on_the_page_are_those_of_the_runs(study):
    scores = {"max": [], "average": []}
    for run in study.runs:
        if run.data.tags.get("kind") != "sweep":
            scores[run.data.params["pooling"]].append(run.data.metrics["test/f1_macro"])
    own = own_run(study.store)
    markdown = artifact(study.store, own, "report/report.md")
    rows = list(csv.DictReader(io.StringIO(artifact(study.store, own, "report/runs.csv"))))
    assert len(rows) == 6
    summary = csv.DictReader(io.StringIO(artifact(study.store, own, "report/summary.csv")))
    means = {row["pooling"]: row for row in summary if row["measure"] == "test_f1_macro"}
    for pooling, found in scores.items():
        mean = sum(found) / 3
        assert float(means[pooling]["mean"]) == pytest.approx(mean)
        assert re.search(rf"^\| {pooling} \| 3 \| .*\| {mean:.3f} \[", markdown, re.MULTILINE)
        listed = [float(row["test_f1_macro"]) for row in rows if row["pooling"] == pooling]
        assert sorted(listed) == pytest.approx(sorted(found))


@pytest.mark.slow
def test_a_report_is_written_again_the_same_without_tensorflow(study, tmp_path):
    command = [sys.executable, "-c", NO_TENSORFLOW, "study=cnn_pooling", f"to={tmp_path}"]
    done = subprocess.run(
        command, cwd=study.folder, env=environment(), capture_output=True, text=True, check=False
    )
    assert done.returncode == 0, done.stderr
    stored = artifact(study.store, own_run(study.store), "report/report.html")
    assert (tmp_path / "report.html").read_text() == stored
    assert (tmp_path / "figures" / "forest.png").read_bytes().startswith(b"\x89PNG")
    for line in re.findall(r"!\[.*\]\((.*)\)", (tmp_path / "report.md").read_text()):
        assert (tmp_path / line).is_file()


def test_a_sweep_of_ones_own_needs_no_study(sweep, tmp_path):
    sweep_id = sweep.runs[0].data.tags["sweep"]
    done = call("pipeline.report", f"sweep={sweep_id}", f"to={tmp_path}", cwd=sweep.folder)
    assert done.returncode == 0, done.stderr
    page = (tmp_path / "report.html").read_text()
    assert "fewer than 3 seeds are too few to say how sure that is" in page
    assert "highest mean validation macro F1" in page
    scores = page.partition("<h2>Scores</h2>")[2].partition("</table>")[0]
    assert scores.count("<tr") == 1 + len(sweep.runs)
    assert "[" not in scores  # no interval
    assert "1 seed per setting" in page


@pytest.mark.slow
def test_failed_and_missing_runs_are_listed(stocked):
    varied = ["l2=1e38,0.0", "seed=0", "units=2"]
    done = call("pipeline.train", "-m", "+study=lstm_units", *varied, *DIVERGING, cwd=stocked)
    assert done.returncode == 1
    store = open_local(stocked)
    page = artifact(store, own_run(store), "report/report.md")
    assert "ended FAILED: DivergedError" in page
    assert "Not everything is counted" in page
    assert "TF-IDF" in page


@pytest.mark.slow
def test_a_study_without_a_finished_run_says_so_and_still_fails(stocked):
    varied = ["l2=1e38", "seed=0", "units=2"]
    done = call("pipeline.train", "-m", "+study=lstm_units", *varied, *DIVERGING, cwd=stocked)
    assert done.returncode == 1
    (line,) = done.stderr.splitlines()
    assert line.startswith(
        "no report: study=lstm_units has no finished run with a test macro F1 in"
    )
    assert "looked for its 1 runs and found: units=2 seed=0" in line
    assert line.endswith(" FAILED.")
    assert own_run(open_local(stocked)).info.status == "FAILED"


def test_runs_of_other_data_are_refused_by_name_unless_asked_for(study, tmp_path):
    store = study.store
    changed = next(run for run in study.runs if run.data.tags.get("kind") != "sweep")
    fingerprints = json.loads(changed.data.tags[names.FINGERPRINTS])
    altered = {
        names.FINGERPRINTS: json.dumps({**fingerprints, "test": "0" * 16}),
        names.CODE_VERSIONS: json.dumps({"training": "0" * 16, "model": "0" * 16}),
    }
    kept = {name: changed.data.tags[name] for name in altered}
    for name, value in altered.items():
        store.client.set_tag(changed.info.run_id, name, value)
    refused = call("pipeline.report", "study=cnn_pooling", cwd=study.folder)
    mixed = call(
        "pipeline.report", "study=cnn_pooling", "mixed=true", f"to={tmp_path}", cwd=study.folder
    )
    for name, value in kept.items():
        store.client.set_tag(changed.info.run_id, name, value)
    assert refused.returncode == 2
    data, code, model, way = refused.stderr.splitlines()
    assert data.startswith("the test data (fingerprint) differs: ")
    assert "000000000000 in 1 run" in data
    assert code.startswith("the code of the training (hash) differs: ")
    assert model.startswith("the code of model=cnn (hash) differs: ")
    assert way.startswith("mixed=true puts these runs into one report")
    assert mixed.returncode == 0, mixed.stderr
    assert "Combined although the test data" in (tmp_path / "report.md").read_text()


@pytest.mark.parametrize(
    ("arguments", "sentence"),
    [
        ([], "study=..., sweep=... or experiment=... is needed, one of them; none is set."),
        (["study=cell", "sweep=1"], "study=..., sweep=... or experiment=... is needed, one of"),
        (["study=lstm_unit"], "There is no store at "),
        (["study=cell"], "There is no store at "),
        (["experiment=reviews", "mixed=maybe"], "mixed=maybe must be true or false."),
        (["experiment=reviews", "varied=units"], "varied=units must be a list of parameters"),
        (["stduy=cell"], "`stduy` is not an option of this command (did you mean `study`?)."),
    ],
)
def test_a_faulty_command_is_one_sentence(tmp_path, arguments, sentence):
    done = call("pipeline.report", *arguments, cwd=tmp_path)
    assert done.returncode == 2
    assert done.stderr.startswith(sentence)
    assert len(done.stderr.splitlines()) == 1


def test_an_unknown_study_is_refused_before_anything_else(tmp_path):
    done = call("pipeline.train", "-m", "study=lstm_unit", cwd=tmp_path)
    assert done.returncode == 2
    assert done.stderr.startswith("study=lstm_unit must be cell, cnn_depth, cnn_filters")
    assert "did you mean `lstm_units`?" in done.stderr
    assert list(tmp_path.iterdir()) == []


def test_help_names_every_study(tmp_path):
    for command in ("pipeline.report", "pipeline.train"):
        done = call(command, "--help", cwd=tmp_path)
        assert all(name in done.stdout for name in (*IMAGES, *TEXTS))
        assert max(map(len, done.stdout.splitlines())) <= 80


FEWER = {
    "text_baseline": ["train_size=30,60"],
    "regularisation": ["l1=0.0", "l2=0.0"],  # 8 of 32 settings
    "optimizer": ["batch_size=16"],  # 9 of 18
}


@pytest.mark.slow
@pytest.mark.long  # `study` is one of images, the README has one of texts: much the same
@pytest.mark.parametrize("name", [*IMAGES, *TEXTS])
def test_every_study_runs_on_built_in_data(stocked, name):
    images = ["dataset=digits", "train_size=60"]
    size = [] if name == "text_baseline" else ["train_size=30"]
    texts = ["dataset=reviews", "embedding_dim=4", *size]
    small = images if name in IMAGES else texts
    if name not in (*IMAGES, "lstm_units", "rnn_units"):
        small.append("units=2")
    small += FEWER.get(name, [])
    done = call(
        *["pipeline.train", "-m", f"+study={name}", "epochs=1", "seed=0", *small, *IN_PROCESS],
        cwd=stocked,
        timeout=900,
    )
    assert done.returncode == 0, done.stdout + done.stderr
    store = open_local(stocked)
    verdict = json.loads(artifact(store, own_run(store), "report/verdict.json"))
    assert verdict["headline"]
    assert verdict["outcome"] == ("not judged" if verdict["claim"] else None)


@pytest.mark.slow
def test_an_interrupted_study_is_killed_and_reported_as_far_as_it_came(stocked):
    small = ["units=2,4", "seed=0,1", "dataset=reviews", "train_size=30", "epochs=40", "workers=1"]
    process = start("-m", "+study=lstm_units", *small, cwd=stocked)
    read_until(process, "2/4 units=2 seed=1  epoch 1/40")
    process.send_signal(signal.SIGINT)
    process.stdout.read()
    assert process.wait() == 130
    assert own_run(open_local(stocked)).info.status == "KILLED"
    done = call("pipeline.report", "study=lstm_units", f"to={stocked}/r", cwd=stocked)
    assert done.returncode == 0, done.stderr
    page = (stocked / "r" / "report.md").read_text()
    assert "2 units, seed 1 ended KILLED; it is not counted." in page
    assert "4 units, seed 0: no run was found." in page
    assert "4 units, seed 1: no run was found." in page


@pytest.mark.slow
@pytest.mark.long  # it is the report of a local store, from runs that are read as others are
def test_a_report_from_a_server(tmp_path, mlflow_server):
    place = ["tracking=server", f"tracking.uri={mlflow_server}"]
    small = ["units=2,4", "seed=0", "dataset=reviews", "train_size=30", "epochs=1"]
    done = call(
        "pipeline.train", "-m", "+study=lstm_units", *small, *place, *IN_PROCESS, cwd=tmp_path
    )
    assert done.returncode == 0, done.stdout + done.stderr
    again = call("pipeline.report", "study=lstm_units", *place, f"to={tmp_path}/r", cwd=tmp_path)
    assert again.returncode == 0, again.stderr
    assert "2 exact" in (tmp_path / "r" / "report.md").read_text()
    assert f"{mlflow_server}/#/experiments/" in again.stdout
