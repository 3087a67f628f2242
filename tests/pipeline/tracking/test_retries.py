import sqlite3
import time
from contextlib import closing

import pytest
import requests
from mlflow.exceptions import MlflowException
from mlflow.protos.databricks_pb2 import (
    PERMISSION_DENIED,
    RESOURCE_DOES_NOT_EXIST,
    TEMPORARILY_UNAVAILABLE,
)

from pipeline.errors import StoreAwayError
from pipeline.tracking import retries
from pipeline.tracking.retries import patiently


@pytest.fixture(autouse=True)
def short_minute(monkeypatch):
    monkeypatch.setattr(retries, "SECONDS", 1.0)
    monkeypatch.setattr(retries._outage, "began", None)


class Flaky:
    """Fails so many times, then answers."""

    def __init__(self, error, times):
        self.error, self.left, self.calls = error, times, 0

    def __call__(self):
        self.calls += 1
        self.left -= 1
        if self.left >= 0:
            raise self.error
        return "answer"


def http_error(status):
    answer = requests.Response()
    answer.status_code = status
    return requests.HTTPError(response=answer)


PASSING = [
    MlflowException("locked", error_code=TEMPORARILY_UNAVAILABLE),
    requests.ConnectionError(),
    http_error(503),
    http_error(429),
    OSError(28, "No space left on device"),
]
LASTING = [
    MlflowException("no", error_code=RESOURCE_DOES_NOT_EXIST),
    MlflowException("no", error_code=PERMISSION_DENIED),
    http_error(404),
    FileNotFoundError(),
    KeyError(),
]


@pytest.mark.parametrize("error", PASSING, ids=repr)
def test_what_may_pass_is_repeated(error):
    assert patiently(Flaky(error, 2)) == "answer"


@pytest.mark.parametrize("error", LASTING, ids=repr)
def test_what_will_not_pass_is_raised_at_once(error):
    flaky = Flaky(error, 1)
    with pytest.raises(type(error)):
        patiently(flaky)
    assert flaky.calls == 1


def test_an_outage_is_waited_for_once_and_not_by_every_call():
    first, second = (Flaky(requests.ConnectionError(), 99) for _ in range(2))
    with pytest.raises(StoreAwayError):
        patiently(first)
    assert first.calls > 1
    started = time.monotonic()
    with pytest.raises(StoreAwayError):
        patiently(second)
    assert (second.calls, time.monotonic() - started < 0.5) == (1, True)


def test_patience_is_back_when_the_store_is():
    with pytest.raises(StoreAwayError):
        patiently(Flaky(requests.ConnectionError(), 99))
    assert patiently(Flaky(None, 0)) == "answer"
    assert patiently(Flaky(requests.ConnectionError(), 1)) == "answer"


def test_the_sentence_gives_the_innermost_reason_and_not_what_was_being_handled():
    def locked():
        try:
            raise sqlite3.OperationalError("database is locked")
        except sqlite3.OperationalError as error:
            raise MlflowException("long", error_code=TEMPORARILY_UNAVAILABLE) from error

    with pytest.raises(StoreAwayError, match=r"failed for 1 seconds: database is locked\.$"):
        try:
            raise ZeroDivisionError("of the training")
        except ZeroDivisionError:
            patiently(locked)


def test_a_database_that_was_deleted_is_not_called_read_only(tmp_path):
    file = tmp_path / "mlflow.db"
    with closing(sqlite3.connect(file)) as connection:
        connection.execute("CREATE TABLE runs (name)")
        file.unlink()

        def write():
            try:
                connection.execute("INSERT INTO runs VALUES ('a')")
            except sqlite3.Error as error:
                raise MlflowException("long", error_code=TEMPORARILY_UNAVAILABLE) from error

        with pytest.raises(StoreAwayError, match=r": the database was moved or deleted\.$"):
            patiently(write)
