"""Six processes that track 60 runs at once, on a store that none of them has seen before."""

import time
from contextlib import contextmanager

import pytest

from pipeline.tracking import names
from pipeline.tracking.store import Store, open_local
from tests.support import store_writer
from tests.support.commands import serve
from tests.support.postgresql import missing, postgresql
from tests.support.sweeps import start_module

WORKERS, RUNS = 6, 10
pytestmark = pytest.mark.slow


@contextmanager
def sqlite(folder):
    yield []


@contextmanager
def server(folder):
    artifacts = ["--artifacts-destination", str(folder / "artifacts")]
    with postgresql() as database, serve(folder, database, *artifacts) as address:
        yield [address]


def write_all(folder, where):
    """Run all writers to their end; gives seconds, and what each said and returned."""
    started = time.perf_counter()
    processes = [
        start_module("tests.support.store_writer", str(worker), str(RUNS), *where, cwd=folder)
        for worker in range(WORKERS)
    ]
    said = [process.communicate(timeout=300)[0] for process in processes]
    return time.perf_counter() - started, said, [process.returncode for process in processes]


@pytest.mark.parametrize(
    "open_place",
    [
        sqlite,
        pytest.param(
            server,  # much as sqlite, and PostgreSQL has to be started
            marks=[pytest.mark.long, pytest.mark.skipif(bool(missing()), reason=missing())],
        ),
    ],
)
def test_every_run_metric_and_artifact_of_every_writer_is_there(open_place, tmp_path):
    with open_place(tmp_path) as where:
        seconds, said, codes = write_all(tmp_path, where)
        print(f"{WORKERS * RUNS} runs by {WORKERS} processes: {seconds:.1f} s")
        assert codes == [0] * WORKERS, "\n".join(said)
        assert not [line for line in said if "locked" in line]
        store = Store(*where) if where else open_local(tmp_path)
        ids = [store.client.get_experiment_by_name(store_writer.EXPERIMENT).experiment_id]
        runs = {run.info.run_name: run for run in store.search_runs(ids, "")}
        expected = {store_writer.name_of(w, n) for w in range(WORKERS) for n in range(RUNS)}
        assert set(runs) == expected
        for run in runs.values():
            check(store.client, run, tmp_path / "downloads" / run.info.run_id)


def check(client, run, folder):
    name, run_id = run.info.run_name, run.info.run_id
    assert run.info.status == "FINISHED"
    assert run.data.params == {key: f"{name} {key}" for key in store_writer.PARAMS}
    assert run.data.tags["parity"] == "exact"
    assert set(run.data.metrics) == {*names.curves("accuracy"), *store_writer.SCORES}
    for score in store_writer.SCORES:
        assert run.data.metrics[score] == store_writer.point(name, score, 0)
    for curve in names.curves("accuracy"):
        points = [(one.step, one.value) for one in client.get_metric_history(run_id, curve)]
        assert points == [
            (epoch, store_writer.point(name, curve, epoch)) for epoch in store_writer.EPOCHS
        ]
    folder.mkdir(parents=True)
    client.download_artifacts(run_id, "", str(folder))
    for path in store_writer.TEXTS:
        assert (folder / path).read_text() == name
    for file in store_writer.WEIGHTS:
        assert (folder / "weights" / file).read_bytes() == store_writer.content(name, file)
