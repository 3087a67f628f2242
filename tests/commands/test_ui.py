"""The MLflow UI as a person sees it: a real server, a real browser."""

import shutil
import signal
import socket
import subprocess
import sys

import pytest

from tests.commands.conftest import call, environment

sync_api = pytest.importorskip("playwright.sync_api")
BROWSER = shutil.which("chromium")
pytestmark = pytest.mark.skipif(BROWSER is None, reason="there is no chromium on the PATH")

FLAGS = ["--no-sandbox", "--disable-gpu", "--disable-background-networking"]


@pytest.fixture(scope="module")
def page_of(sweep):
    """`python -m pipeline.ui` on the sweep's store; gives a page at the link that it prints."""
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    process = subprocess.Popen(
        [sys.executable, "-m", "pipeline.ui", f"port={port}", "open=false"],
        cwd=sweep.folder,
        env=environment(),
        stdout=subprocess.PIPE,
        stderr=subprocess.DEVNULL,
        text=True,
    )
    link = process.stdout.readline().strip()
    with sync_api.sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=BROWSER, args=FLAGS)
        page = browser.new_page(viewport={"width": 1500, "height": 900})
        yield open_when_up(page, link)
        browser.close()
    process.send_signal(signal.SIGINT)
    assert process.wait(30) == 0


def open_when_up(page, link):
    for _ in range(120):
        try:
            page.goto(link)
        except sync_api.Error:
            page.wait_for_timeout(500)
        else:
            return page
    raise AssertionError(f"nothing answers at {link}")


def test_the_link_shows_the_sweeps_runs_best_first_without_a_click(page_of, sweep):
    page_of.get_by_text("3 matching runs").wait_for(timeout=60_000)
    shown = page_of.inner_text("body")
    for column in ("units", "test/f1_macro", "parity", "Duration"):
        assert column in shown
    best_first = sorted(sweep.runs, key=lambda run: -run.data.metrics["test/f1_macro"])
    places = [shown.index(run.info.run_name) for run in best_first]
    assert places == sorted(places)
    assert shown.count("exact") == 3


def test_a_runs_page_shows_its_figures_and_both_reports(page_of, sweep):
    run = sweep.runs[0]
    address = page_of.url.split("#")[0]
    base = f"{address}#/experiments/{run.info.experiment_id}/runs/{run.info.run_id}/artifacts"
    page_of.goto(f"{base}/parity/classification_reports.txt?workflowType=machine_learning")
    page_of.reload()
    page_of.get_by_text("From scratch").first.wait_for(timeout=60_000)
    page_of.goto(f"{base}/figures/confusion_matrix.png?workflowType=machine_learning")
    page_of.reload()
    page_of.locator("img[src^='blob:'], img[src*='artifact']").first.wait_for(timeout=60_000)


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
