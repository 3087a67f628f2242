"""Processes that tests wait for the end of."""

import time

import psutil


def left_running(processes, seconds):
    """Which have not ended by then. One that nobody has waited for yet, a zombie, has."""
    until = time.monotonic() + seconds
    while alive := [process for process in processes if is_alive(process)]:
        if time.monotonic() > until:
            break
        time.sleep(0.05)
    return alive


def is_alive(process):
    try:
        return process.status() != psutil.STATUS_ZOMBIE
    except psutil.NoSuchProcess:
        return False
