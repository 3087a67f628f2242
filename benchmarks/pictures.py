"""python -m benchmarks.pictures [FOLDER]: make the README's pictures again, from real runs.

Runs the main job in a real terminal (tmux, 80 columns), then opens what it left in MLflow (a real
server and browser). Writes `terminal.png`, `mlflow.png`, `curves.png` and `run.png` to FOLDER
(docs/images). Needs tmux, chromium, and an empty port 5000.
"""

import os
import shlex
import shutil
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from importlib.resources import files
from pathlib import Path

import requests
import resvg_py
from playwright.sync_api import Page, sync_playwright
from rich.console import Console
from rich.terminal_theme import TerminalTheme
from rich.text import Text

from pipeline.tracking import names
from pipeline.tracking.links import LOCAL_UI, latest_views
from pipeline.tracking.store import open_local

REPOSITORY = Path(__file__).resolve().parent.parent
COMMAND = "python -m pipeline.train -m model=lstm units=32,64,128 seed=0,1,2"
COLUMNS, LINES = 80, 60
PATIENCE = 3600.0  # seconds
# MLflow opens its assistant beside the first page that a browser ever loads.
SEEN_BEFORE = "window.localStorage['mlflow.assistant.fab.autoOpenedOnFirstLoad_v1'] = 'true'"
ANSI = ["3c4046", "f0645a", "6ec878", "f2b36b", "5ab4e6", "c896e6", "64c8c8", "dcdcdc"]


def main() -> None:
    folder = Path(sys.argv[1]) if len(sys.argv) > 1 else REPOSITORY / "docs/images"
    folder.mkdir(parents=True, exist_ok=True)
    missing = [tool for tool in ("tmux", "chromium") if shutil.which(tool) is None]
    if missing:
        sys.exit(f"{' and '.join(missing)} cannot be found on the PATH.")
    with tempfile.TemporaryDirectory(prefix="pictures-") as place:
        (folder / "terminal.png").write_bytes(terminal_picture(screen_of(COMMAND, Path(place))))
        with served(Path(place)):
            photograph(Path(place), folder)


def screen_of(command: str, place: Path) -> str:
    """What a terminal shows when the command has ended, colours and all."""
    session = f"pictures-{os.getpid()}"
    environment = {"PYTHONPATH": str(REPOSITORY), "PATH": os.environ["PATH"], "PS1": "$ "}
    given = " ".join(f"{name}={shlex.quote(value)}" for name, value in environment.items())
    shell = f"env {given} bash --norc --noprofile"
    size = ["-x", str(COLUMNS), "-y", str(LINES)]
    subprocess.run(
        ["tmux", "new-session", "-d", "-s", session, *size, "-c", str(place), shell], check=True
    )
    try:
        keys = ["tmux", "send-keys", "-t", session]
        subprocess.run([*keys, command, "Enter"], check=True)
        return _wait_for_prompt(session)
    finally:
        subprocess.run(["tmux", "kill-session", "-t", session], check=False)


def _wait_for_prompt(session: str) -> str:
    """The screen, once there is a second prompt below the command."""
    capture = ["tmux", "capture-pane", "-p", "-e", "-S", "-500", "-t", session]
    started = time.monotonic()
    while time.monotonic() - started < PATIENCE:
        time.sleep(1)
        screen = subprocess.run(capture, capture_output=True, text=True, check=True).stdout
        shown = screen[screen.find("$ ") :]  # keys may be echoed before the first prompt
        before, _, last = shown.rstrip().rpartition("\n")
        if last.strip() == "$" and before:
            return before
    raise TimeoutError(f"the command has not ended after {PATIENCE:.0f} seconds")


def terminal_picture(screen: str) -> bytes:
    """The screen as a PNG."""
    with Path(os.devnull).open("w") as nowhere:
        console = Console(record=True, width=COLUMNS, file=nowhere, force_terminal=True)
        console.print(Text.from_ansi(screen), soft_wrap=True)
        drawn = console.export_svg(title="", theme=_theme())
    fonts = files("matplotlib") / "mpl-data/fonts/ttf"
    return bytes(
        resvg_py.svg_to_bytes(
            svg_string=drawn.replace("Fira Code", "DejaVu Sans Mono"),
            width=1600,
            skip_system_fonts=True,
            font_dirs=[str(fonts)],
            monospace_family="DejaVu Sans Mono",
        )
    )


def _theme() -> TerminalTheme:
    colours = [tuple(bytes.fromhex(colour)) for colour in ANSI]
    return TerminalTheme((22, 24, 27), (236, 236, 236), colours)  # type: ignore[arg-type]


@contextmanager
def served(place: Path) -> Iterator[None]:
    """The store of a folder behind `python -m pipeline.ui`, for the length of a block."""
    command = [sys.executable, "-m", "pipeline.ui", "open=false"]
    environment = os.environ | {"PYTHONPATH": str(REPOSITORY)}
    with subprocess.Popen(command, cwd=place, env=environment, stderr=subprocess.DEVNULL) as ui:
        try:
            _wait_for_server()
            yield
        finally:
            ui.terminate()


def _wait_for_server() -> None:
    for _ in range(240):
        try:
            if requests.get(f"{LOCAL_UI}/health", timeout=1).ok:
                return
        except requests.ConnectionError:
            time.sleep(0.5)
    raise TimeoutError(f"nothing answers at {LOCAL_UI}")


def photograph(place: Path, folder: Path) -> None:
    """The sweep's table, its curves, and the best run's own page."""
    store = open_local(place)
    table, curves = latest_views(store, LOCAL_UI)
    experiments = [one.experiment_id for one in store.client.search_experiments()]
    best = store.client.search_runs(
        experiments, order_by=[f"metrics.`{names.VALIDATION_F1_MACRO}` DESC"]
    )[0]
    page_file = Path(best.info.artifact_uri.removeprefix("file://")) / "report.html"
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(
            executable_path=shutil.which("chromium"), args=["--no-sandbox", "--disable-gpu"]
        )
        page = browser.new_page(viewport={"width": 1500, "height": 800})
        page.add_init_script(SEEN_BEFORE)
        _shoot(page, table, "matching runs", folder / "mlflow.png")
        _shoot(page, curves, "Curves by epoch", folder / "curves.png")
        _shoot(page, page_file.as_uri(), "Scores", folder / "run.png")
        browser.close()


def _shoot(page: Page, link: str, words: str, file: Path) -> None:
    page.goto("about:blank")  # a page that only changes its # would stay as it is
    page.goto(link)
    page.get_by_text(words).first.wait_for(timeout=120_000)
    page.wait_for_timeout(3_000)  # charts are drawn after their headings
    page.screenshot(path=file)


if __name__ == "__main__":
    main()
