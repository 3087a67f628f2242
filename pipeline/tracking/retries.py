"""Repeats what a store refuses for the moment.

A database that is locked, a disk that is full, a server that is away, a file that was cut short.
MLflow's own repetitions of HTTP requests are switched off: they would be multiplied by these.
"""

import sys
import time
from collections.abc import Callable
from typing import Any

from mlflow.exceptions import MlflowException
from tenacity import RetryCallState, Retrying, retry_if_exception, wait_exponential

from pipeline.errors import StoreAwayError

SECONDS = 60.0
_REQUEST_SECONDS = 30.0  # after which an HTTP request has failed: MLFLOW_HTTP_REQUEST_TIMEOUT
_PASSING = ("TEMPORARILY_UNAVAILABLE", "INTERNAL_ERROR", "REQUEST_LIMIT_EXCEEDED")
_PASSING_STATUS = (408, 429)  # and everything from 500


class _Outage:
    """The present outage, one for all threads of this process, so that its minute passes once."""

    def __init__(self) -> None:
        self.began: float | None = None


_outage = _Outage()


class _Patience:
    """Tenacity's `stop` of one call: a minute after it or the outage began to fail."""

    def __init__(self) -> None:
        self._began: float | None = None

    def __call__(self, state: RetryCallState) -> bool:
        now = time.monotonic()
        self._began = self._began or max(state.start_time, now - _REQUEST_SECONDS)
        _outage.began = _outage.began or self._began
        return now - min(self._began, _outage.began) >= SECONDS


def patiently(act: Callable[..., Any], *arguments: Any, **options: Any) -> Any:
    """Call `act`, again and again with growing pauses while it fails for what may pass.

    Raises:
        StoreAwayError: when it would not pass in about a minute.
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
    """The innermost reason on one line, `Connection refused` or `database is locked`.

    Args:
        error: what the store raised.
        handled: what was being handled when it was called, no reason of its failure.
    """
    while (inner := error.__cause__ or error.__context__) not in (None, handled):
        assert inner is not None
        error = inner
    reason = getattr(error, "strerror", None) or str(error) or type(error).__name__
    return str(reason).splitlines()[0].rstrip(".")
