import socket
import threading
import time
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

import pytest

from pipeline.errors import StoreError
from pipeline.settings.mlflow_environment import PASSWORD, USERNAME
from pipeline.tracking import server_requests
from pipeline.tracking.server_requests import check_server
from tests.support.ports import LOOPBACK, free_port


@contextmanager
def web_server(status, body, seen=None):
    """A server that is not MLflow's; it answers everything alike."""

    class Answer(BaseHTTPRequestHandler):
        def do_GET(self):
            if seen is not None:
                seen.append(self.headers.get("Authorization"))
            self.send_response(status)
            self.end_headers()
            self.wfile.write(body)

        def log_message(self, *_):
            pass

    server = ThreadingHTTPServer((LOOPBACK, 0), Answer)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    try:
        yield f"{LOOPBACK}:{server.server_port}"
    finally:
        server.shutdown()
        server.server_close()


def refused(address):
    with pytest.raises(StoreError) as told:
        check_server(address)
    sentence = str(told.value)
    assert sentence.startswith(f"tracking.uri={address}")
    assert len(sentence.splitlines()) == 1
    return sentence


def test_nobody_listens():
    assert "Connection refused" in refused(f"http://{LOOPBACK}:{free_port()}")


def test_a_server_that_never_answers_is_given_up(monkeypatch):
    assert server_requests._CONNECT_SECONDS + server_requests._READ_SECONDS < 15
    monkeypatch.setattr(server_requests, "_READ_SECONDS", 0.5)
    with socket.create_server((LOOPBACK, 0)) as silent:
        started = time.monotonic()
        assert "no answer within" in refused(f"http://{LOOPBACK}:{silent.getsockname()[1]}")
        assert time.monotonic() - started < 10


@pytest.mark.parametrize(
    ("status", "body"),
    [(404, b"<h1>no such page</h1>"), (200, b"<h1>hello</h1>"), (200, b"[1]"), (200, b'{"a": 1}')],
)
def test_a_server_of_another_kind(status, body):
    with web_server(status, body) as host:
        assert f"is not an MLflow server: it answers {status}" in refused(f"http://{host}")


def test_https_to_a_server_without_tls():
    with web_server(200, b"{}") as host:
        assert "begins with http://" in refused(f"https://{host}")


def test_an_mlflow_server_without_experiments_is_one():
    with web_server(200, b"{}") as host:
        check_server(f"http://{host}")


def test_a_server_that_asks_for_a_password(monkeypatch):
    seen = []
    with web_server(401, b"", seen) as host:
        assert "asks for a user name and password" in refused(f"http://{host}")
        monkeypatch.setenv(USERNAME, "me")
        monkeypatch.setenv(PASSWORD, "wrong")
        assert "refuses the user name or password" in refused(f"http://{host}")
    assert [bool(header) for header in seen] == [False, True]
