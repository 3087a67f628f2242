"""Keeps what a process prints, libraries in C++ included, in a file instead of on the terminal."""

import os
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path


@contextmanager
def kept_output(log: Path) -> Iterator[None]:
    """Send standard output and error to `log` for the length of a block."""
    saved = os.dup(1), os.dup(2)
    with log.open("ab") as file:
        _point_at(file.fileno(), file.fileno())
        try:
            yield
        finally:
            _point_at(*saved)
            for descriptor in saved:
                os.close(descriptor)


def _point_at(output: int, error: int) -> None:
    sys.stdout.flush()
    sys.stderr.flush()
    os.dup2(output, 1)
    os.dup2(error, 2)
