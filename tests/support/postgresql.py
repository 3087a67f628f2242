"""A real PostgreSQL on loopback, started afresh in a folder of its own."""

import os
import shutil
import subprocess
import tempfile
from contextlib import contextmanager
from importlib.util import find_spec
from pathlib import Path

from tests.support.ports import free_port

DEBIAN = Path("/usr/lib/postgresql")
SYSTEM_USER = "postgres"


def binaries():
    """Folder of the newest `initdb` and `pg_ctl`, or None."""
    found = sorted(DEBIAN.glob("*/bin/initdb"), key=lambda path: float(path.parts[-3]))
    on_path = shutil.which("initdb")
    return found[-1].parent if found else on_path and Path(on_path).parent


def missing():
    """Why PostgreSQL cannot be started here; empty when it can."""
    if binaries() is None:
        return "PostgreSQL is not installed (Debian's package postgresql)"
    if os.geteuid() == 0 and shutil.which("runuser") is None:
        return "PostgreSQL does not run as root, and there is no runuser to be somebody else"
    if find_spec("psycopg2") is None:
        return "psycopg2 is not installed (the extra server)"
    return ""


@contextmanager
def postgresql():
    """SQLAlchemy address of an empty database `mlflow`, for the length of a block."""
    folder = Path(tempfile.mkdtemp(prefix="pg-"))  # pytest's folders are closed to other users
    data, port = str(folder / "data"), free_port()
    if os.geteuid() == 0:
        shutil.chown(folder, SYSTEM_USER)
    options = f"-h 127.0.0.1 -p {port} -k {folder}"
    try:
        _run("initdb", "-D", data, "-U", "mlflow", "-E", "UTF8", "--locale=C", "--auth=trust")
        _run("pg_ctl", "-D", data, "-o", options, "-l", f"{folder}/log", "-w", "start")
        try:
            _run("createdb", "-h", "127.0.0.1", "-p", str(port), "-U", "mlflow", "mlflow")
            yield f"postgresql+psycopg2://mlflow@127.0.0.1:{port}/mlflow"
        finally:
            _run("pg_ctl", "-D", data, "-m", "fast", "-w", "stop")
    finally:
        shutil.rmtree(folder)


def _run(program, *arguments):
    command = [str(binaries() / program), *arguments]
    if os.geteuid() == 0:
        command = ["runuser", "-u", SYSTEM_USER, "--", *command]
    subprocess.run(command, cwd="/", check=True, stdout=subprocess.DEVNULL)
