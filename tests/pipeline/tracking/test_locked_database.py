"""A database that another process has locked while a run is tracked.

MLflow waits 20 seconds for a lock before it raises an error; here it waits half a second.
"""

import time

import pytest
from sqlalchemy import event
from sqlalchemy.engine import Engine

from pipeline.errors import StoreAwayError
from pipeline.tracking import retries
from pipeline.tracking.tracked_run import tracked_run
from tests.support.database_lock import locked


@pytest.fixture(autouse=True)
def _short_wait():
    def shortened(connection, cursor, statement, parameters, context, executemany):
        return statement.replace("busy_timeout = 20000", "busy_timeout = 500"), parameters

    event.listen(Engine, "before_cursor_execute", shortened, retval=True)
    yield
    event.remove(Engine, "before_cursor_execute", shortened)


def track(store):
    experiment = store.experiment("here").experiment_id
    with tracked_run(store, experiment, "a run", {}) as run, locked(store.database, seconds=2):
        run.log_metrics({"loss/train": 0.5})
        run.flush()
        run.log_text("0.5", "notes/loss.txt")
    return store.client.get_run(run.run_id)


def test_a_lock_is_waited_for_longer_than_mlflow_waits(store):
    run = track(store)
    assert run.info.status == "FINISHED"
    assert run.data.metrics == {"loss/train": 0.5}


def test_a_lock_that_lasts_is_one_sentence(store, monkeypatch):
    monkeypatch.setattr(retries, "SECONDS", 1.0)
    monkeypatch.setattr(retries._outage, "began", None)
    started = time.monotonic()
    with (
        locked(store.database),
        pytest.raises(StoreAwayError, match=r"failed for 1 seconds: database is locked\.$"),
    ):
        store.client.search_experiments()
    assert time.monotonic() - started < 20
    assert store.client.search_experiments()
