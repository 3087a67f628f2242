"""python -m pipeline.ui: open MLflow on the local store and latest sweep, on loopback only."""

import os
import socket
import subprocess
import sys
import time
import webbrowser
from collections.abc import Sequence
from contextlib import closing, suppress
from http.client import HTTPConnection
from pathlib import Path

from pipeline.cli.command import Given, command
from pipeline.cli.console import console, print_line
from pipeline.errors import CommandFailedError
from pipeline.job.interruption import ENDING, interrupted_by
from pipeline.settings import SettingsError
from pipeline.sweep.workers.lifetime import end_with_parent
from pipeline.tracking.local_database import FOLDER
from pipeline.tracking.store import check_store

_HOST = "127.0.0.1"


@command("ui")
def main(given: Given) -> None:
    """Serve the store until interrupted; once the page is up, print its link and open it."""
    values = given.values
    port = _checked_port(values["port"])
    check_store(Path.cwd().resolve() / FOLDER)

    # Imported here, so that a faulty command is refused without loading MLflow.
    from pipeline.tracking.links import latest_views
    from pipeline.tracking.store import existing_store

    store = existing_store("local")
    console.print("Starting MLflow. Ctrl-C ends it.")
    server = _serve(store.uri, port)
    try:
        with interrupted_by(*ENDING):
            if _is_up(server, port):
                _show(latest_views(store, f"http://{_HOST}:{port}"), values["open"])
            code = server.wait()
    except KeyboardInterrupt:
        server.terminate()
        server.wait()
        return
    if code:
        raise CommandFailedError(code)


def _show(links: Sequence[str], in_browser: bool) -> None:
    for link in links:
        print_line(link)
    if in_browser:
        webbrowser.open(links[0])


def _checked_port(port: object) -> int:
    if not isinstance(port, int) or isinstance(port, bool) or not 1 <= port <= 65535:
        raise SettingsError([f"port={port} must be a whole number from 1 to 65535."])
    if _answers(port):
        raise SettingsError([f"port={port} is in use on {_HOST}; choose another."])
    return port


def _answers(port: int) -> bool:
    with socket.socket() as attempt:
        return attempt.connect_ex((_HOST, port)) == 0


def _serve(store_uri: str, port: int) -> subprocess.Popen[bytes]:
    command = [sys.executable, "-m", "mlflow", "ui", "--backend-store-uri", store_uri]
    command += ["--host", _HOST, "--port", str(port), "--workers", "1"]
    # One worker and no job runners: starts in 5 s instead of 13 s, with a fifth of the memory.
    return subprocess.Popen(
        command,
        env=os.environ | {"MLFLOW_SERVER_ENABLE_JOB_EXECUTION": "false"},
        stdout=sys.stderr,  # stdout is reserved for the link
        preexec_fn=end_with_parent,
    )


def _is_up(server: subprocess.Popen[bytes], port: int) -> bool:
    """Wait until the server answers; return False if it has ended instead."""
    while server.poll() is None:
        with closing(HTTPConnection(_HOST, port, timeout=5)) as asked, suppress(OSError):
            asked.request("GET", "/health")
            if asked.getresponse().status == 200:
                return True
        time.sleep(0.2)
    return False


if __name__ == "__main__":
    main()
