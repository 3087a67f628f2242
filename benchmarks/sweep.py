"""Time whole sweeps beside what people write without this project: `python -m benchmarks.sweep`.

Every round runs each way of each work once, in turn, from the start of a process to its end; the
tables in docs/benchmark-sweep.md give the medians of the rounds. The MLflow store is there before
the clock starts, as it is from a second sweep on.
"""

import argparse
import ctypes
import json
import os
import re
import resource
import shutil
import sqlite3
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Sequence
from contextlib import closing, suppress
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from benchmarks import machine
from benchmarks.engines import CORES
from pipeline.settings import Settings
from pipeline.settings.composer import composer
from pipeline.sweep.plan import plan_sweep
from pipeline.tracking.store import open_local

BARE, AUTOLOG = "Keras", "Keras, autolog"
ONE, TWO, AUTO = "1 worker", "2 workers", "ours"
FLAGS = {ONE: ("workers=1",), TWO: ("workers=2",), AUTO: ()}
WAYS = (BARE, AUTOLOG, *FLAGS)
PACKAGES = ("tensorflow", "keras", "mlflow", "numpy")

OVERHEAD_BAR = 1.05  # one worker takes at most so many times a bare loop, and the check
WORKERS_BAR = 1.7  # one worker takes at least so many times two
_PR_SET_CHILD_SUBREAPER = 36  # of prctl(2)


@dataclass(frozen=True)
class Work:
    """A sweep to be timed.

    Attributes:
        title: what the table calls it.
        overrides: the sweep, as on the command line of `pipeline.train`.
        spreads: whether two workers have to be faster by the bar.
        bare: how many times as long a bare loop has to take.
        autolog: how many times as long autolog has to take.
    """

    title: str
    overrides: tuple[str, ...]
    spreads: bool
    bare: float = 1
    autolog: float = 1.5


_CARD = ("model=lstm", "units=32,64,128")
_LSTM = (*_CARD, "dataset=nusax", "epochs=10")
_TINY = ("model=lstm", "dataset=reviews", "train_size=60", "units=4,8,16,32", "seed=range(6)")
WORKS = (
    Work("BiLSTM 32, 64, 128; defaults", _CARD, spreads=True, bare=2, autolog=4),
    Work("BiLSTM 32, 64, 128; NusaX, 10 epochs", (*_LSTM, "mask=false"), spreads=True),
    Work("the same, masked", (*_LSTM, "mask=true"), spreads=True),
    Work(
        "CNN 16-32, 32-64; 10,000 of CIFAR-10, 3 epochs",
        (
            "model=cnn",
            "dataset=cifar10",
            "train_size=10000",
            "filters=[16,32],[32,64]",
            "epochs=3",
        ),
        spreads=False,
    ),
    Work("24 tiny BiLSTMs; built-in reviews, 2 epochs", (*_TINY, "epochs=2"), spreads=True),
)
SMALL = {"epochs": "epochs=1", "train_size": "train_size=60", "seed": "seed=0"}


@dataclass(frozen=True)
class Timing:
    """Seconds of one way: the whole process, of all cores, and of NumPy's forward passes."""

    seconds: float
    core_seconds: float
    parity: float = 0.0


Times = dict[str, Timing]  # way -> medians


def main() -> None:
    """Measure what the command line asks for and write the page."""
    options = _options()
    works = [work for work in WORKS if re.search(options.works, work.title)]
    if options.small:
        works = [replace(work, overrides=_small(work.overrides)) for work in works]
    with tempfile.TemporaryDirectory() as temporary:
        runner = Runner(Path(temporary))
        results = _interleave(runner, works, options.rounds)
        page = _page(results, options)
    options.out.parent.mkdir(parents=True, exist_ok=True)
    options.out.write_text(page, encoding="utf-8")


def _options() -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="python -m benchmarks.sweep", description=__doc__)
    parser.add_argument("--works", default="", help="only those whose title matches (regular)")
    parser.add_argument("--rounds", type=int, default=5, help="times of each, interleaved")
    parser.add_argument("--small", action="store_true", help="a try: an epoch of 60 examples")
    parser.add_argument("--out", type=Path, default=Path("docs/benchmark-sweep.md"))
    return parser.parse_args()


def _small(overrides: Sequence[str]) -> tuple[str, ...]:
    kept = [line for line in overrides if line.split("=")[0] not in SMALL]
    return (*kept, *SMALL.values())


class Runner:
    """Runs a work in one of the ways, each time in a fresh folder that has a store."""

    def __init__(self, folder: Path) -> None:
        self.folder, self.store = folder, folder / "template"
        open_local(self.store)
        # Workers outlive the command that started them by a moment; this process then inherits
        # them, and can wait for the rest of their core-seconds.
        if sys.platform == "linux":
            ctypes.CDLL(None).prctl(_PR_SET_CHILD_SUBREAPER, 1)

    def time(self, work: Work, way: str) -> Timing:
        """Time a process from its start to its end."""
        home = Path(tempfile.mkdtemp(dir=self.folder))
        shutil.copytree(self.store / "mlruns", home / "mlruns")
        command = self._command(work, way, home)
        used, started = _core_seconds(), time.perf_counter()
        done = subprocess.run(
            command, cwd=home, env=_environment(), capture_output=True, text=True, check=False
        )
        seconds = time.perf_counter() - started
        if done.returncode:
            raise RuntimeError(f"{work.title}, {way}: {done.stdout}{done.stderr}")
        parity = _parity_seconds(home) if way in FLAGS else 0.0
        shutil.rmtree(home)
        return Timing(seconds, _core_seconds() - used, parity)

    def _command(self, work: Work, way: str, home: Path) -> list[str]:
        if way in FLAGS:
            words = [*work.overrides, *FLAGS[way]]
            return [sys.executable, "-m", "pipeline.train", "-m", *words]
        jobs = home / "jobs.json"
        jobs.write_text(json.dumps(_jobs(work.overrides)))
        flags = ["autolog"] if way == AUTOLOG else []
        return [sys.executable, "-m", "benchmarks.plain", str(jobs), *flags]


def _core_seconds() -> float:
    """Wait for all processes that were started; return the core-seconds that they have used."""
    with suppress(ChildProcessError):  # none is left
        while True:
            os.wait()
    used = resource.getrusage(resource.RUSAGE_CHILDREN)
    return used.ru_utime + used.ru_stime


def _environment() -> dict[str, str]:
    path = os.pathsep.join(filter(None, [str(Path.cwd()), os.environ.get("PYTHONPATH")]))
    own = {"PYTHONPATH": path, "PIPELINE_DATA_DIR": _data_dir(), "CUDA_VISIBLE_DEVICES": ""}
    return os.environ | own


def _data_dir() -> str:
    return str(Path(os.environ.get("PIPELINE_DATA_DIR", "data")).resolve())


def _jobs(overrides: Sequence[str]) -> list[dict[str, Any]]:
    """The jobs of a sweep as `benchmarks.plain` reads them: same models, same data."""
    plan = plan_sweep(overrides, composer("train"))
    return [_job(job.settings, " ".join(job.overrides)) for job in plan.jobs]


def _job(settings: Settings, name: str) -> dict[str, Any]:
    data = settings.dataset.model_dump(exclude_none=True)
    training, model = settings.training, settings.model
    return {
        "name": name,
        "model_name": settings.model_name,
        "model": model.model_dump(),
        "data": {**data, "data_dir": _data_dir(), "train_size": training.train_size},
        "learning_rate": training.learning_rate,
        **training.model_dump(include={"epochs", "batch_size", "seed"}),
    }


def _parity_seconds(home: Path) -> float:
    query = "SELECT SUM(value) FROM latest_metrics WHERE key = 'parity/seconds_scratch'"
    with closing(sqlite3.connect(home / "mlruns" / "mlflow.db")) as connection:
        return float(connection.execute(query).fetchone()[0])


def _interleave(runner: Runner, works: Sequence[Work], rounds: int) -> dict[Work, Times]:
    taken: dict[tuple[Work, str], list[Timing]] = {}
    for number in range(rounds):
        for work in works:
            for way in WAYS:
                timing = runner.time(work, way)
                taken.setdefault((work, way), []).append(timing)
                print(f"{number + 1}/{rounds} {work.title}, {way}: {timing}", flush=True)
    return {work: {way: _median(taken[work, way]) for way in WAYS} for work in works}


def _median(timings: Sequence[Timing]) -> Timing:
    return Timing(
        statistics.median(timing.seconds for timing in timings),
        statistics.median(timing.core_seconds for timing in timings),
        statistics.median(timing.parity for timing in timings),
    )


def _row(work: Work, times: Times) -> str:
    seconds = {way: timing.seconds for way, timing in times.items()}
    parity = times[ONE].parity
    allowed = OVERHEAD_BAR * seconds[BARE] + parity
    cells = [
        *(f"{seconds[way]:.1f}" for way in WAYS),
        f"{parity:.2f}",
        *_ratio(seconds[BARE] / seconds[AUTO], work.bare),
        *_ratio(seconds[AUTOLOG] / seconds[AUTO], work.autolog),
        *_ratio(allowed / seconds[ONE], 1),
        *_ratio(seconds[ONE] / seconds[TWO], WORKERS_BAR * work.spreads),
    ]
    return _line([work.title, *cells])


def _core_row(work: Work, times: Times) -> str:
    return _line([work.title, *(f"{times[way].core_seconds:.0f}" for way in WAYS)])


def _line(cells: Sequence[str]) -> str:
    return f"| {' | '.join(cells)} |"


def _ratio(ratio: float, bar: float) -> tuple[str, str]:
    reached = "yes" if ratio >= bar else f"no, {ratio / bar:.0%} of it"
    return f"{ratio:.2f}", f"{bar:g}: {reached}" if bar else ""


def _page(results: dict[Work, Times], options: argparse.Namespace) -> str:
    ratios = [f"{BARE} / {AUTO}", f"autolog / {AUTO}", f"allowed / {ONE}", f"{ONE} / {TWO}"]
    lines = [
        "# Speed of whole sweeps",
        "",
        f"Written by `python -m benchmarks.sweep`. {machine.describe(CORES, PACKAGES)}.",
        "",
        f"Seconds from the start of a process to its end, {_of_rounds(options.rounds)}; every "
        "process imports what it needs. A ratio above its bar is in our favour.",
        "",
        f"- *{BARE}*: a loop over `fit` and `predict`; nothing is tracked, kept or checked.",
        f"- *{AUTOLOG}*: the same under `mlflow.keras.autolog()`.",
        f"- *{ONE}*, *{TWO}*: `python -m pipeline.train` with `workers=1` and `workers=2`, with "
        "all it does: bit-identical training, every epoch tracked, weights, figures, served model, "
        "card and check.",
        f"- *{AUTO}*: the same as it is typed, with `workers=auto`.",
        "- *check*: seconds of NumPy's forward passes over the test sets, part of ours.",
        f"- *allowed*: {OVERHEAD_BAR} times *{BARE}*, and *check*.",
        "",
        *_header([*WAYS, "check", *(cell for ratio in ratios for cell in (ratio, "bar"))]),
        *(_row(work, times) for work, times in results.items()),
        "",
        "## Core-seconds",
        "",
        "Processor time of all processes together, medians of the same rounds.",
        "",
        *_header(WAYS),
        *(_core_row(work, times) for work, times in results.items()),
        "",
    ]
    if options.small:
        lines += [
            "A try: every sweep was cut down to one epoch of 60 examples.",
            "",
        ]
    return "\n".join([*lines, "## The sweeps", "", *map(_command_line, results), ""])


def _header(columns: Sequence[str]) -> list[str]:
    return [_line(["sweep", *columns]), "|---" + "|---:" * len(columns) + "|"]


def _of_rounds(rounds: int) -> str:
    return "in one round" if rounds == 1 else f"median of {rounds} interleaved rounds"


def _command_line(work: Work) -> str:
    words = " ".join(f"'{word}'" if re.search(r"[\[(]", word) else word for word in work.overrides)
    return f"- {work.title}: `python -m pipeline.train -m {words}`"


if __name__ == "__main__":
    main()
