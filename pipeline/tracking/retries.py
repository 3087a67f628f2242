"""Retries calls that a store refuses temporarily.

Causes are a locked database, a full disk, an unavailable server, or a truncated file. MLflow's own
retries of HTTP requests are disabled: they would be multiplied by these.
"""

import sys
import time
from collections.abc import Callable
from typing import Any

from mlflow.exceptions import MlflowException
from tenacity import RetryCallState, Retrying, retry_if_exception, wait_exponential

from pipeline.errors import StoreAwayError

SECONDS = 60.0
_REQUEST_SECONDS = 30.0  # timeout of an HTTP request: MLFLOW_HTTP_REQUEST_TIMEOUT
_PASSING = ("TEMPORARILY_UNAVAILABLE", "INTERNAL_ERROR", "REQUEST_LIMIT_EXCEEDED")
_PASSING_STATUS = (408, 429)  # in addition to everything from 500


class _Outage:
    """The current outage, shared by all threads of this process, so that they wait once."""

    def __init__(self) -> None:
        self.began: float | None = None


_outage = _Outage()


class _Patience:
    """Tenacity's `stop` for one call: one minute after the call or the outage began to fail."""

    def __init__(self) -> None:
        self._began: float | None = None

    def __call__(self, state: RetryCallState) -> bool:
        now = time.monotonic()
        self._began = self._began or max(state.start_time, now - _REQUEST_SECONDS)
        _outage.began = _outage.began or self._began
        return now - min(self._began, _outage.began) >= SECONDS


def patiently(act: Callable[..., Any], *arguments: Any, **options: Any) -> Any:
    """Call `act`, repeatedly and with growing pauses while it fails for a temporary reason.

    Raises:
        StoreAwayError: when it still fails after about a minute.
        Exception: any other failure.
    """
    handled = sys.exception()
    attempts = Retrying(
        retry=retry_if_exception(_may_pass),
        wait=wait_exponential(0.25, max=8),
        stop=_Patience(),
        reraise=True,
    )
    try:
        result = attempts(act, *arguments, **options)
    except Exception as error:
        if not _may_pass(error):
            raise
        cause = _cause(error, handled)
        raise StoreAwayError(
            f"The tracking store has failed for {SECONDS:.0f} seconds: {cause}."
        ) from error
    _outage.began = None
    return result


def _may_pass(error: BaseException) -> bool:
    if isinstance(error, MlflowException):
        return error.error_code in _PASSING
    status = getattr(getattr(error, "response", None), "status_code", 500)
    if status < 500 and status not in _PASSING_STATUS:
        return False
    return isinstance(error, OSError) and not isinstance(error, FileNotFoundError)


def _cause(error: BaseException, handled: BaseException | None) -> str:
    """Return the innermost cause on one line, `Connection refused` or `database is locked`.

    Args:
        handled: the exception that was being handled before the call, which is not a cause.
    """
    while (inner := error.__cause__ or error.__context__) not in (None, handled):
        assert inner is not None
        error = inner
    if getattr(error, "sqlite_errorname", None) == "SQLITE_READONLY_DBMOVED":
        return "the database was moved or deleted"  # SQLite's message says that it is read-only
    reason = getattr(error, "strerror", None) or str(error) or type(error).__name__
    return str(reason).splitlines()[0].rstrip(".")
