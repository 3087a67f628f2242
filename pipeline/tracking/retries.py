"""Tries again what a store refuses for the moment.

A database that is locked, a disk that is full, a server that is away, a file that was cut short.
"""

from collections.abc import Callable
from typing import Any

from mlflow.exceptions import MlflowException
from tenacity import Retrying, retry_if_exception, stop_after_delay, wait_exponential

SECONDS = 60.0  # MLflow itself has waited 20 for a locked database, or through retries over HTTP
_PASSING = ("TEMPORARILY_UNAVAILABLE", "INTERNAL_ERROR", "REQUEST_LIMIT_EXCEEDED")


def patiently(act: Callable[..., Any], *arguments: Any, **options: Any) -> Any:
    """Call `act`, again and again with growing pauses while it fails for what may pass.

    Raises:
        Exception: the last failure, when it would not pass in about a minute.
    """
    attempts = Retrying(
        retry=retry_if_exception(_may_pass),
        wait=wait_exponential(0.25, max=8),
        stop=stop_after_delay(SECONDS),
        reraise=True,
    )
    return attempts(act, *arguments, **options)


def _may_pass(error: BaseException) -> bool:
    if isinstance(error, MlflowException):
        return error.error_code in _PASSING
    return isinstance(error, OSError) and not isinstance(error, FileNotFoundError)
