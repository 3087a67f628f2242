"""A process that has imported what commands import, and forks one that runs a command.

`python -m pipeline.runs` takes seconds to import what it uses for a tenth of one, and training
imports TensorFlow as well. A test of what a command does can do without; a test of start-up,
signals or packaging runs `python -m` itself. The workers of a sweep are forked by a process that
has imported TensorFlow, too (7 s of processor time): here it is one fork of this process for all
commands, or a fork of the command. The workers of pytest-xdist share one such process.
"""

import atexit
import gc
import json
import os
import runpy
import signal
import socket
import subprocess
import sys
import threading
from contextlib import suppress
from importlib import import_module
from multiprocessing import forkserver, resource_tracker, util
from pathlib import Path
from tempfile import TemporaryDirectory
from threading import Timer

from tests.support.forked_command import ForkedCommand

REPOSITORY = Path(__file__).resolve().parents[2]
IMPORTED = (
    "pipeline.tracking.store",  # first: it sets what MLflow reads
    "pipeline.cli.command",
    "hydra._internal.utils",
    "mlflow.store.tracking.sqlalchemy_store",
    "mlflow.pyfunc",
    "matplotlib.figure",
    "pipeline.sweep.launched_job",  # TensorFlow, whose threads start at its first operation
)
CAN_FORK = sys.platform == "linux"  # on other systems the libraries do not survive a fork


class WarmPython:
    """Runs commands as `subprocess.run` does, one at a time; it ends with this process."""

    def __init__(self, environment):
        # A name that leaves no file behind, and that one process of a run of tests can have.
        run_of_tests = os.environ.get("PYTEST_XDIST_TESTRUNUID", os.getpid())
        address = f"\0warm-python-{run_of_tests}"
        while not self._connected(address):
            with suppress(OSError), socket.socket(socket.AF_UNIX) as listening:
                listening.bind(address)  # an error if another worker was quicker
                listening.listen()
                self._process = subprocess.Popen(
                    [sys.executable, "-m", __name__, str(listening.fileno())],
                    cwd=REPOSITORY,
                    env=environment,
                    stdin=subprocess.DEVNULL,
                    stdout=subprocess.DEVNULL,
                    pass_fds=[listening.fileno()],
                )

    def _connected(self, address):
        """Wait until the process at the address answers; return False if there is none."""
        connection = socket.socket(socket.AF_UNIX)
        with suppress(ConnectionError):
            connection.connect(address)
            self._orders, self._answers = connection.makefile("w"), connection.makefile("r")
            return bool(self._answers.readline())
        connection.close()
        return False

    def run(self, option, program, arguments, cwd, environment, own_environment, timeout):
        """Run `python option program arguments` to its end; the option is `-m` or `-c`.

        Workers get an environment that is the command's own from a process of the command's own.
        """
        command = [sys.executable, option, program, *arguments]
        with TemporaryDirectory() as folder:
            printed = [Path(folder, name) for name in ("stdout", "stderr")]
            files = [*map(str, printed)]
            order = [*command[1:3], command[3:], str(cwd), environment, own_environment, files]
            child = self._forked(order, None)
            timer = Timer(timeout, os.kill, (child, signal.SIGKILL))
            timer.start()
            code = int(self._answers.readline())
            expired = timer.finished.is_set()
            timer.cancel()
            out, err = (path.read_text() for path in printed)
        if expired:
            raise subprocess.TimeoutExpired(command, timeout, out, err)
        return subprocess.CompletedProcess(command, code, out, err)

    def start(self, option, program, arguments, cwd, environment, errors=None):
        """Start `python option program arguments` in a session of its own, with its own workers.

        What it prints to stderr is read with the rest, or goes to the file that is named.
        """
        order = [option, program, arguments, str(cwd), environment, True]
        return ForkedCommand(
            lambda printed, ended: self._forked([*order, [printed, errors or printed]], ended)
        )

    def _forked(self, order, ended):
        """Give the process id of a command that was forked."""
        print(json.dumps([ended, order]), file=self._orders, flush=True)
        return int(self._answers.readline())


def main(listening):
    """Serve each process that connects, from a fork, until none of them is left."""
    set_by_imports = prepare()
    listening.settimeout(1)
    forks = set()
    while True:
        with suppress(TimeoutError):
            connection, _ = listening.accept()
            if (fork := os.fork()) == 0:
                listening.close()
                serve(connection, set_by_imports)
                os._exit(0)
            connection.close()
            forks.add(fork)
        forks = {fork for fork in forks if os.waitpid(fork, os.WNOHANG)[0] == 0}
        if not forks:
            return


def prepare():
    """Import everything; give the environment variables that imports set."""
    given = {*os.environ}
    for name in IMPORTED:
        import_module(name)
    remember()
    gc.freeze()
    fork_forkserver()
    return {name: os.environ[name] for name in {*os.environ} - given}


def serve(connection, set_by_imports):
    """Read an order per line; answer with the process that runs it, then with its exit code.

    The code of a command in the background is written by a process that waits for it.
    """
    connection.setblocking(True)
    orders, answers = connection.makefile("r"), connection.makefile("w")
    print("ready", file=answers, flush=True)
    for line in orders:
        ended, order = json.loads(line)
        if ended and os.fork():
            continue
        # From the first moment the pipe has a writer: without one, its reader would be at its end.
        held = os.open(order[-1][0], os.O_WRONLY) if ended else None
        if (child := os.fork()) == 0:
            os.close(connection.detach())
            if ended:
                os.setsid()
            become(set_by_imports, *order)
        if ended:
            os.close(held)
        print(child, file=answers, flush=True)
        code = os.waitstatus_to_exitcode(os.waitpid(child, 0)[1])
        if ended:
            Path(ended).write_text(str(code))
            os._exit(0)
        print(code, file=answers, flush=True)


def remember():
    """Call what remembers its answer: each process that trains would, in 0.9 s of a core."""
    from mlflow.utils.requirements_utils import _init_modules_to_packages_map

    from pipeline.job.identity import code_versions
    from pipeline.tracking.environment import packages

    _init_modules_to_packages_map()
    packages()
    for model in ("cnn", "lstm"):
        code_versions(model)


def fork_forkserver():
    """Start the process that workers are forked from, which then need not import anything."""
    forkserver.set_forkserver_preload(["pipeline.sweep.workers.preloaded"])
    resource_tracker.ensure_running()  # by the function that is replaced for a moment
    spawn, util.spawnv_passfds = util.spawnv_passfds, run_in_a_fork
    forkserver.ensure_running()
    util.spawnv_passfds = spawn


def run_in_a_fork(_, arguments, __):
    """Run `python ... -c code` in a fork; it inherits every file that is open."""
    if (child := os.fork()) == 0:
        signal.signal(signal.SIGTERM, signal.SIG_DFL)  # which its parent's end sends
        exec(arguments[-1])  # until this process ends, which the preloaded module watches
        os._exit(0)
    return child


def become(set_by_imports, option, program, arguments, cwd, environment, own, printed):
    """Turn this process into that of a command."""
    os.chdir(cwd)
    os.environ.clear()
    os.environ.update(set_by_imports | environment)
    for number, path in enumerate([os.devnull, *printed]):
        file = os.open(path, os.O_WRONLY | os.O_CREAT if number else os.O_RDONLY)
        os.dup2(file, number)
        os.close(file)
    sys.argv[1:], sys.path[0] = arguments, cwd
    if own:
        forkserver._forkserver._forkserver_pid = None  # so that the command starts one, by a fork
        util.spawnv_passfds = run_in_a_fork
    else:  # it runs, but is no child that could be waited for
        forkserver.ensure_running = forkserver._forkserver.ensure_running = lambda: None
    try:
        if option == "-c":
            exec(program, {"__name__": "__main__"})
        else:
            runpy.run_module(program, run_name="__main__", alter_sys=True)
    except SystemExit as end:
        if not isinstance(end.code, int | None):
            raise
        leave(end.code or 0)
    leave(0)


def leave(code):
    """End as Python does, but do not take every module apart, which takes a third of a second."""
    threading._shutdown()
    atexit._run_exitfuncs()
    sys.stdout.flush()
    sys.stderr.flush()
    os._exit(code)


if __name__ == "__main__":
    main(socket.socket(fileno=int(sys.argv[1])))
