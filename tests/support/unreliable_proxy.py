"""A proxy on loopback that does to requests what networks and servers do now and then."""

import threading
import time
from collections import Counter
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from random import Random

import requests

from tests.support.ports import LOOPBACK

PASS, DELAY, REFUSE, FAIL, DOUBLE, LOSE_REPLY, FAIL_AFTER = KINDS = (
    "passed on",
    "delayed",
    "refused with 500",
    "closed unread",
    "sent twice",
    "done, the reply lost",
    "done, the reply 500",
)
_HOP_BY_HOP = {"connection", "transfer-encoding", "content-encoding", "content-length", "host"}
_DELAY_SECONDS = 0.3


class RandomFaults:
    """Chooses a fault for a share of all requests, whatever their route, seeded."""

    def __init__(self, seed, share):
        self._random, self._share, self._lock = Random(seed), share, threading.Lock()

    def __call__(self, path):
        with self._lock:
            return self._random.choice(KINDS[1:]) if self._random.random() < self._share else PASS


class PlannedFaults:
    """One fault for the first request whose path ends so."""

    def __init__(self, **by_end):
        self._left = {end.replace("_", "/"): kind for end, kind in by_end.items()}

    def __call__(self, path):
        route = path.partition("?")[0].replace("-", "")
        end = next((end for end in self._left if route.endswith(end)), None)
        return PASS if end is None else self._left.pop(end)


@contextmanager
def unreliable(target, faults):
    """Address of the proxy in front of `target`, and how often it did what to which route."""
    done = Counter()

    class Proxy(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"

        def handle_any(self):
            body = self.rfile.read(int(self.headers.get("Content-Length", 0)))
            kind = faults(self.path)
            done[kind] += 1
            if kind == FAIL:
                self.close_connection = True
                return
            if kind == REFUSE:
                self.reply(500, {}, b"{}")
                return
            if kind == DELAY:
                time.sleep(_DELAY_SECONDS)
            answer = self.forward(body)
            if kind == DOUBLE:
                answer = self.forward(body)
            if kind == LOSE_REPLY:
                self.close_connection = True
            elif kind == FAIL_AFTER:
                self.reply(500, {}, b"{}")
            else:
                self.reply(answer.status_code, answer.headers, answer.content)

        do_GET = do_POST = do_PUT = do_PATCH = do_DELETE = handle_any

        def forward(self, body):
            kept = {k: v for k, v in self.headers.items() if k.lower() not in _HOP_BY_HOP}
            url = f"{target}{self.path}"
            return requests.request(self.command, url, data=body, headers=kept, timeout=60)

        def reply(self, status, headers, content):
            self.send_response(status)
            for key, value in headers.items():
                if key.lower() not in _HOP_BY_HOP:
                    self.send_header(key, value)
            self.send_header("Content-Length", str(len(content)))
            self.end_headers()
            self.wfile.write(content)

        def log_message(self, *_):
            pass

    server = ThreadingHTTPServer((LOOPBACK, 0), Proxy)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    try:
        yield f"http://{LOOPBACK}:{server.server_port}", done
    finally:
        server.shutdown()
        server.server_close()
