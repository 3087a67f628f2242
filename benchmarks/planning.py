"""python -m benchmarks.planning: how long a plan takes, by the number of runs in the store.

A sweep of 1,000 jobs of which 990 are done is planned by the real command, with `dry_run=true`, in
stores that hold 100, 1,000 and 10,000 runs besides. The runs are rows as MLflow writes them, put
there in SQL; those of the sweep have artifacts too.
"""

import os
import sqlite3
import statistics
import subprocess
import sys
import tempfile
import time
import uuid
from collections.abc import Iterable
from pathlib import Path

from benchmarks.machine import describe
from pipeline.settings.composer import composer
from pipeline.sweep.plan import plan_sweep
from pipeline.sweep.schedule import schedule_sweep
from pipeline.tracking import names
from pipeline.tracking.artifacts import manifest
from pipeline.tracking.store import Store, open_local

JOBS, DONE, OTHERS, REPEATS = 1000, 990, (100, 1_000, 10_000), 3
SWEEP = ["model=cnn", f"seed=range({JOBS})"]
PAGE = Path("docs/benchmark-planning.md")
_FILES = [f"part-{number}/file.txt" for number in range(4)]


def identities(store: Store) -> list[str]:
    """The identity of each of the sweep's jobs."""
    plan = plan_sweep(SWEEP, composer("train"))
    return [one.identity for one in schedule_sweep(plan, store).jobs]


def insert(store: Store, experiment_id: str, identities: Iterable[str], with_files: bool) -> None:
    """Add a finished run for each identity, with as many rows as a real one has."""
    assert store.database is not None
    assert store.folder is not None
    with sqlite3.connect(store.database) as connection:
        for name in identities:
            run_id = uuid.uuid4().hex
            folder = store.folder / "artifacts" / run_id / "artifacts"
            connection.execute(
                "INSERT INTO runs (run_uuid, name, status, start_time, end_time, lifecycle_stage,"
                " artifact_uri, experiment_id) VALUES (?, 'run', 'FINISHED', 1, 2, 'active', ?, ?)",
                (run_id, folder.as_uri(), experiment_id),
            )
            tags = {
                names.IDENTITY: name,
                names.PARITY: "exact",
                **{f"tag{n}": "x" * 30 for n in range(20)},
            }
            rows = [(key, value, run_id) for key, value in tags.items()]
            connection.executemany("INSERT INTO tags (key, value, run_uuid) VALUES (?,?,?)", rows)
            if with_files:
                _write_files(folder)


def _write_files(folder: Path) -> None:
    for path in _FILES:
        (folder / path).parent.mkdir(parents=True)
        (folder / path).write_text("x")
    (folder / names.MANIFEST).write_text(manifest(dict.fromkeys(_FILES, "0" * 64)))


def plan_seconds(folder: Path) -> float:
    """Plan the sweep by the command, from its start to its end."""
    command = [sys.executable, "-m", "pipeline.train", "-m", *SWEEP, "dry_run=true"]
    paths = [str(Path.cwd()), os.environ.get("PYTHONPATH", "")]
    environment = {**os.environ, "PYTHONPATH": os.pathsep.join(filter(None, paths))}
    started = time.perf_counter()
    done = subprocess.run(
        command, cwd=folder, env=environment, capture_output=True, text=True, check=True
    )
    assert f"{DONE} done, {JOBS - DONE} new" in done.stdout, done.stdout
    return time.perf_counter() - started


def measure(others: int) -> float:
    """Median seconds of a plan in a store with so many runs of other sweeps."""
    with tempfile.TemporaryDirectory() as name:
        store = open_local(Path(name))
        experiment = store.experiment("digits").experiment_id
        insert(store, experiment, identities(store)[:DONE], with_files=True)
        insert(store, experiment, (uuid.uuid4().hex for _ in range(others)), with_files=False)
        return statistics.median(plan_seconds(Path(name)) for _ in range(REPEATS))


def main() -> None:
    """Measure and write the page."""
    rows = [f"| {others:,} | {measure(others):.2f} |" for others in OTHERS]
    text = f"""# Planning a large sweep

Written by `python -m benchmarks.planning`. {describe(os.cpu_count() or 1)}

Seconds from the start of `python -m pipeline.train -m {" ".join(SWEEP)} dry_run=true` to its end,
median of {REPEATS}; {DONE} of its {JOBS:,} jobs are done. The bar is 3 seconds.

| other runs in the store | seconds |
|---:|---:|
{chr(10).join(rows)}
"""
    PAGE.write_text(text)
    print(text)


if __name__ == "__main__":
    main()
