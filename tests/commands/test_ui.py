"""The MLflow UI as a person sees it: a real server, a real browser."""

import os
import re
import shutil
import signal
from contextlib import contextmanager
from pathlib import Path

import psutil
import pytest

import scratch_forward
from pipeline.reports.drawing.palette import DARK, LIGHT
from tests.support.commands import call
from tests.support.ports import answers, free_port, wait_for
from tests.support.processes import left_running
from tests.support.sweeps import start_module

sync_api = pytest.importorskip("playwright.sync_api")
BROWSER = shutil.which("chromium")
pytestmark = pytest.mark.skipif(BROWSER is None, reason="there is no chromium on the PATH")

FLAGS = ["--no-sandbox", "--disable-gpu", "--disable-background-networking"]


@contextmanager
def started_ui(sweep):
    """`python -m pipeline.ui` on the sweep's store, and its port."""
    port = free_port()
    options = [f"port={port}", "open=false"]
    process = start_module("pipeline.ui", *options, cwd=sweep.folder, errors=os.devnull)
    try:
        yield process, port
    finally:
        process.kill()  # where the test has not ended it
        process.wait()
        process.stdout.close()


@pytest.fixture(scope="module")
def links(sweep):
    """The links that `python -m pipeline.ui` prints once its server answers."""
    with started_ui(sweep) as (process, port):
        assert process.stdout.readline().startswith("Starting MLflow.")
        found = [process.stdout.readline().strip() for _ in range(2)]
        assert answers(port)
        yield found
        assert_ends(process, port, signal.SIGINT)


@pytest.fixture(scope="module")
def browser():
    with sync_api.sync_playwright() as playwright:
        yield (started := playwright.chromium.launch(executable_path=BROWSER, args=FLAGS))
        started.close()


@pytest.fixture(scope="module")
def window(browser):
    """A browser's session: MLflow's scripts are loaded and compiled once."""
    return browser.new_context()


@pytest.fixture
def page(window):
    opened = window.new_page()
    opened.set_viewport_size({"width": 1500, "height": 900})
    opened.set_default_timeout(180_000)  # a limit: under load the first page took more than 60 s
    yield opened
    opened.close()


@pytest.mark.parametrize(
    "end",
    [  # SIGTERM is milder than SIGKILL, and ends it as Ctrl-C does
        pytest.param(signal.SIGTERM, marks=[pytest.mark.slow, pytest.mark.long]),
        pytest.param(signal.SIGKILL, marks=pytest.mark.slow),
    ],
)
def test_the_server_ends_with_the_command(sweep, end):
    """As by Ctrl-C, which ends the server of `links`."""
    with started_ui(sweep) as (process, port):
        wait_for(port)
        assert_ends(process, port, end)


def assert_ends(process, port, end):
    started = psutil.Process(process.pid).children(recursive=True)
    assert started
    process.send_signal(end)
    assert process.wait(30) == (-end if end == signal.SIGKILL else 0)
    assert left_running(started, 30) == []
    assert not answers(port)


def open_when_up(page, link):
    for _ in range(120):
        try:
            page.goto(link)
        except sync_api.Error:
            page.wait_for_timeout(500)
        else:
            return
    raise AssertionError(f"nothing answers at {link}")


def open_artifact(page, links, run, path):
    address = links[0].split("#")[0]
    place = f"experiments/{run.info.experiment_id}/runs/{run.info.run_id}/artifacts/{path}"
    open_when_up(page, f"{address}#/{place}?workflowType=machine_learning")


@pytest.mark.slow  # two thirds of it are the browser's, 10 s of processor time
def test_the_link_shows_the_sweeps_runs_best_first_without_a_click(page, links, sweep):
    open_when_up(page, links[0])
    page.get_by_text("3 matching runs").wait_for()
    for run in sweep.runs:  # the rows come after the count
        page.get_by_text(run.info.run_name).first.wait_for()
    page.get_by_text("exact").nth(2).wait_for()
    shown = page.inner_text("body")
    best_first = sorted(sweep.runs, key=lambda run: -run.data.metrics["validation/f1_macro"])
    places = [shown.rindex(run.info.run_name) for run in best_first]  # below the view's name
    assert places == sorted(places)
    assert shown.count("exact") == 3
    edge = page.get_by_text("MLflow Assistant").bounding_box()["x"]  # a panel over the right
    for column in ("units", "validation/f1_macro", "test/f1_macro", "parity"):
        box = page.get_by_role("columnheader", name=column).first.bounding_box()
        assert box["x"] + 60 < edge, column


@pytest.mark.slow
def test_the_second_link_shows_curves_grouped_by_what_was_varied(page, links):
    open_when_up(page, links[1])
    page.get_by_text("Curves by epoch").wait_for()
    page.locator(".plotly").nth(3).wait_for()
    shown = page.inner_text("body")
    assert "Group by: units" in shown
    for words in ("Group: 4", "Group: 6", "Group: 8", "loss/train", "loss/validation"):
        assert words in shown
    assert "accuracy/train" in shown
    assert page.get_by_text("8 (loss/validation)").count() > 0  # a line for each group


@pytest.mark.slow
def test_a_view_is_named_by_what_the_sweep_varies(page, links):
    open_when_up(page, links[0])
    page.get_by_text("model=lstm units=4,6,8").first.wait_for()


@pytest.mark.slow
def test_a_runs_description_says_what_it_is_and_links_to_its_report(page, links, sweep):
    run = sweep.runs[0]
    address = links[0].split("#")[0]
    place = f"experiments/{run.info.experiment_id}/runs/{run.info.run_id}"
    open_when_up(page, f"{address}#/{place}?workflowType=machine_learning")
    page.get_by_text("Parity with NumPy:").wait_for()
    shown = page.inner_text("body")
    assert "lstm on reviews, set by hand: model=lstm units=4" in shown
    assert f"{run.data.metrics['validation/f1_macro']:.4f}" in shown
    with page.expect_popup() as opened:
        page.get_by_role("link", name="Report").click()
    report = opened.value
    assert report.frame_locator("iframe").locator("h1").inner_text() == run.info.run_name
    report.close()


@pytest.mark.slow
def test_a_runs_page_shows_its_figures_and_both_reports(page, links, sweep):
    open_artifact(page, links, sweep.runs[0], "parity/classification_reports.txt")
    page.get_by_text("From scratch").first.wait_for()
    open_artifact(page, links, sweep.runs[0], "figures/confusion_matrix.svg")
    page.reload()
    figure = page.locator("img[src^='blob:'], img[src*='artifact']").first
    figure.wait_for()
    page.wait_for_function("image => image.naturalWidth > 200", arg=figure.element_handle())


@pytest.mark.slow
def test_the_report_page_shows_inline_and_follows_the_readers_theme(page, links, sweep):
    run = sweep.runs[0]
    grounds = []
    for theme in ("light", "dark"):
        page.emulate_media(color_scheme=theme)
        if theme == "light":
            open_artifact(page, links, run, "report.html")
        report = page.frame_locator("iframe")
        assert report.locator("h1").inner_text() == run.info.run_name
        figure = report.locator("svg").first
        assert figure.locator("text").first.text_content() == "Cross-entropy loss"
        grounds.append((colour(report.locator("body"), "backgroundColor"), ink(figure)))
    assert grounds == [(LIGHT["paper"], LIGHT["ink"]), (DARK["paper"], DARK["ink"])]


def ink(figure):
    return colour(figure.locator("text").first, "fill")


def colour(element, kind):
    found = element.evaluate(f"element => getComputedStyle(element).{kind}")
    return "#" + "".join(f"{int(part):02x}" for part in re.findall(r"\d+", found)[:3])


@pytest.mark.parametrize("width", [1280, 400])
def test_a_page_fits_its_window(page, sweep, width):
    file = sweep.folder / "mlruns/artifacts" / sweep.runs[0].info.run_id / "artifacts/report.html"
    page.set_viewport_size({"width": width, "height": 900})
    page.goto(file.as_uri())
    assert page.evaluate("document.documentElement.scrollWidth") == width
    smallest = page.evaluate(
        "Math.min(...[...document.querySelectorAll('svg text')]"
        ".map(text => text.getBoundingClientRect().height))"
    )
    assert smallest > 8  # pixels: letters that can be read


@pytest.mark.slow
def test_weights_download_from_the_ui_and_predict(page, links, sweep, tmp_path):
    run = sweep.runs[0]
    for name in ("model.keras", "preprocessing.json", "model.card.npz"):
        open_artifact(page, links, run, f"weights/{name}")
        page.reload()
        page.get_by_text(f"weights/{name}").first.wait_for()
        with page.expect_download() as download:
            page.locator("button[data-component-id*=artifactview]").first.click()
        download.value.save_as(tmp_path / name)
    classifier = scratch_forward.Classifier.load(tmp_path, verify=True)
    (answer,) = classifier(["makanannya enak sekali"])
    assert answer.class_name in ("negative", "neutral", "positive")


@pytest.mark.skipif(not Path("/proc/net/tcp").exists(), reason="only Linux tells who listens")
def test_the_ui_answers_on_loopback_only(links):
    port = int(links[0].split("#")[0].rstrip("/").rpartition(":")[2])
    sockets = [row.split() for row in Path("/proc/net/tcp").read_text().splitlines()[1:]]
    places = [own.split(":") for _, own, _, state, *_ in sockets if state == "0A"]  # listening
    hosts = {host for host, its_port in places if int(its_port, 16) == port}
    assert hosts == {"0100007F"}  # 127.0.0.1


@pytest.mark.parametrize(
    ("argument", "sentence"),
    [
        ("port=70000", "port=70000 must be a whole number from 1 to 65535."),
        ("port=abc", "port=abc must be a whole number from 1 to 65535."),
    ],
)
def test_a_faulty_port_is_one_sentence(sweep, argument, sentence):
    done = call("pipeline.ui", argument, cwd=sweep.folder)
    assert (done.returncode, done.stderr.strip()) == (2, sentence)


def test_a_folder_without_a_store_is_one_sentence(tmp_path):
    done = call("pipeline.ui", cwd=tmp_path)
    assert done.returncode == 2
    assert done.stderr.startswith("There is no store at")
