import os
import threading
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

import numpy as np
import pytest

from pipeline.data.published import cifar10


@dataclass
class Server:
    """A file server on loopback that counts requests and can break off half-way."""

    address: str
    files: dict[str, bytes] = field(default_factory=dict)
    cut_short: set[str] = field(default_factory=set)
    requests: list[str] = field(default_factory=list)


@pytest.fixture
def server():
    class Handler(BaseHTTPRequestHandler):
        def do_GET(self):
            serving.requests.append(self.path)
            content = serving.files.get(self.path)
            if content is None:
                self.send_error(404)
                return
            self.send_response(200)
            self.send_header("Content-Length", str(len(content)))
            self.end_headers()
            self.wfile.write(
                content[: len(content) // 2 if self.path in serving.cut_short else None]
            )

        def log_message(self, *_):
            pass

    with ThreadingHTTPServer(("127.0.0.1", 0), Handler) as http:
        serving = Server(f"http://127.0.0.1:{http.server_address[1]}")
        thread = threading.Thread(target=http.serve_forever)
        thread.start()
        yield serving
        http.shutdown()
        thread.join()


@pytest.fixture
def nobody_listening():
    """An address at which connections are refused."""
    with ThreadingHTTPServer(("127.0.0.1", 0), BaseHTTPRequestHandler) as http:
        return f"http://127.0.0.1:{http.server_address[1]}"


@pytest.fixture
def as_nobody():
    """Run as a user without rights in root's folders: permissions do not bind root."""
    if os.geteuid() != 0:
        pytest.skip("only root can become another user")
    os.seteuid(65534)
    yield
    os.seteuid(0)


def cifar_batch(records, seed):
    """A batch file's bytes: labels in rotation, random pixels."""
    rows = np.random.RandomState(seed).randint(0, 256, (records, 3073)).astype(np.uint8)
    rows[:, 0] = np.arange(records) % 10
    return rows.tobytes()


@pytest.fixture(scope="session")
def cifar_files():
    """Six small batch files in CIFAR-10's format, and the names of the classes."""
    batches = {
        name: cifar_batch(40, seed)
        for seed, name in enumerate((*cifar10.TRAIN_FILES, cifar10.TEST_FILE))
    }
    return {**batches, cifar10.NAMES_FILE: "\n".join(cifar10.CIFAR10.classes).encode() + b"\n\n"}


@pytest.fixture
def lay_out(tmp_path):
    """Write files under a data directory; returns it."""

    def write(folder, files):
        target = tmp_path / "data" / folder
        target.mkdir(parents=True, exist_ok=True)
        for name, content in files.items():
            (target / name).write_bytes(content)
        return tmp_path / "data"

    return write
