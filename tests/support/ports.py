"""Ports on loopback, for the servers that tests start."""

import socket
import time

LOOPBACK = "127.0.0.1"


def free_port():
    """A port that nothing listens at."""
    with socket.socket() as free:
        free.bind((LOOPBACK, 0))
        return free.getsockname()[1]


def answers(port):
    """Whether something listens there."""
    with socket.socket() as attempt:
        return attempt.connect_ex((LOOPBACK, port)) == 0


def wait_for(port):
    for _ in range(480):
        if answers(port):
            return
        time.sleep(0.25)
    raise AssertionError(f"nothing answers at port {port}")
