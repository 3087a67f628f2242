"""python -m benchmarks.planning: how long a plan takes, by the number of runs in the store.

A sweep of 1,000 jobs, all of them done, is planned by the real command, with `dry_run=true`, in
stores that hold 100, 1,000 and 10,000 runs besides: on this machine, and behind an MLflow server
with the same database. The runs are rows as MLflow writes them, put there in SQL; those of the
sweep have artifacts too, and the sweep's own run is written as a sweep does.
"""

import os
import sqlite3
import statistics
import subprocess
import sys
import tempfile
import time
import urllib.parse
import uuid
from collections.abc import Callable, Iterator, Sequence
from contextlib import AbstractContextManager, contextmanager
from pathlib import Path
from typing import NamedTuple

from mlflow.entities import Experiment

from benchmarks.machine import describe
from pipeline.settings.composer import composer
from pipeline.sweep.plan import plan_sweep
from pipeline.sweep.schedule import schedule_sweep
from pipeline.tracking import names
from pipeline.tracking.artifacts import manifest
from pipeline.tracking.store import Store, open_local, open_server
from pipeline.tracking.sweep_run import sweep_run
from tests.support.commands import serve

JOBS, OTHERS, REPEATS = 1000, (100, 1_000, 10_000), 3
SWEEP = ["model=cnn", f"seed=range({JOBS})"]
PAGE = Path("docs/benchmark-planning.md")
_FILES = [f"part-{number}/file.txt" for number in range(4)]


class Place(NamedTuple):
    """A store of runs, and the options of the command that uses it."""

    store: Store
    database: Path
    options: tuple[str, ...] = ()


@contextmanager
def local(folder: Path) -> Iterator[Place]:
    """Open the store of a folder."""
    store = open_local(folder)
    assert store.database is not None
    yield Place(store, store.database)


@contextmanager
def server(folder: Path) -> Iterator[Place]:
    """Start an MLflow server with its database in a folder."""
    database, artifacts = folder / "server.db", str(folder / "artifacts")
    with serve(folder, f"sqlite:///{database}", "--artifacts-destination", artifacts) as address:
        yield Place(open_server(address), database, ("tracking=server", f"tracking.uri={address}"))


def fill(place: Place, others: int) -> None:
    """Add the finished jobs of the sweep, its own run, and runs of other sweeps."""
    schedule = schedule_sweep(plan_sweep(SWEEP, composer("train")), place.store)
    experiment = place.store.experiment("digits")
    identities = [one.identity for one in schedule.jobs]
    done = insert(place, experiment, identities, schedule.sweep_id)
    insert(place, experiment, [uuid.uuid4().hex for _ in range(others)])
    with sweep_run(place.store, experiment.experiment_id, schedule.sweep_id, "seeds") as run:
        run.log_json(done, names.FINISHED_JOBS)


def insert(
    place: Place, experiment: Experiment, identities: Sequence[str], sweep_id: str | None = None
) -> dict[str, str]:
    """Add a finished run for each identity, with as many rows as a real one has.

    Those of a sweep have files, if these are on this machine. Returns their ids by identity.
    """
    member = {names.sweep_tag(sweep_id): "seed"} if sweep_id else {}
    found = {identity: uuid.uuid4().hex for identity in identities}
    with sqlite3.connect(place.database) as connection:
        for identity, run_id in found.items():
            artifacts = f"{experiment.artifact_location}/{run_id}/artifacts"
            connection.execute(
                "INSERT INTO runs (run_uuid, name, user_id, status, start_time, end_time,"
                " lifecycle_stage, artifact_uri, experiment_id)"
                " VALUES (?, 'run', 'user', 'FINISHED', 1, 2, 'active', ?, ?)",
                (run_id, artifacts, experiment.experiment_id),
            )
            filler = {f"tag{number}": "x" * 30 for number in range(20)}
            tags = {names.IDENTITY: identity, names.PARITY: "exact", **member, **filler}
            rows = [(key, value, run_id) for key, value in tags.items()]
            connection.executemany("INSERT INTO tags (key, value, run_uuid) VALUES (?,?,?)", rows)
            if sweep_id and artifacts.startswith("file:"):
                _write_files(Path(urllib.parse.urlparse(artifacts).path))
    return found


def _write_files(folder: Path) -> None:
    for path in _FILES:
        (folder / path).parent.mkdir(parents=True)
        (folder / path).write_text("x")
    (folder / names.MANIFEST).write_text(manifest(dict.fromkeys(_FILES, "0" * 64)))


def plan_seconds(folder: Path, options: Sequence[str]) -> float:
    """Plan the sweep by the command, from its start to its end."""
    command = [sys.executable, "-m", "pipeline.train", "-m", *SWEEP, *options, "dry_run=true"]
    paths = [str(Path.cwd()), os.environ.get("PYTHONPATH", "")]
    environment = {**os.environ, "PYTHONPATH": os.pathsep.join(filter(None, paths))}
    started = time.perf_counter()
    done = subprocess.run(
        command, cwd=folder, env=environment, capture_output=True, text=True, check=True
    )
    assert f"{JOBS} done" in done.stdout, done.stdout
    return time.perf_counter() - started


def measure(others: int, kind: Callable[[Path], AbstractContextManager[Place]]) -> float:
    """Return the median seconds of a plan in a store with so many runs of other sweeps."""
    with tempfile.TemporaryDirectory() as name, kind(Path(name)) as place:
        fill(place, others)
        return statistics.median(plan_seconds(Path(name), place.options) for _ in range(REPEATS))


def main() -> None:
    """Measure and write the page."""
    rows = []
    for others in OTHERS:
        seconds = [measure(others, kind) for kind in (local, server)]
        rows.append(f"| {others:,} | {seconds[0]:.2f} | {seconds[1]:.2f} |")
    text = f"""# Planning a large sweep

Written by `python -m benchmarks.planning`. {describe(os.cpu_count() or 1)}

Seconds from the start of `python -m pipeline.train -m {" ".join(SWEEP)} dry_run=true` to its end,
median of {REPEATS}; all of its {JOBS:,} jobs are done. The bar is 3 seconds.

| other runs in the store | local store | MLflow server |
|---:|---:|---:|
{chr(10).join(rows)}
"""
    PAGE.write_text(text)
    print(text)


if __name__ == "__main__":
    main()
