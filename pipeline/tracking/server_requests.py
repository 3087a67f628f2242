"""Requests to an MLflow server without MLflow, whose import takes seconds.

Credentials are those that MLflow's own client reads: `MLFLOW_TRACKING_USERNAME` and
`MLFLOW_TRACKING_PASSWORD`, `MLFLOW_TRACKING_TOKEN`, or the file `~/.mlflow/credentials`.
"""

import configparser
import os
from collections.abc import Mapping
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import requests

from pipeline.errors import StoreError
from pipeline.settings.mlflow_environment import PASSWORD, USERNAME

_TOKEN = "MLFLOW_TRACKING_TOKEN"
_CONNECT_SECONDS, _READ_SECONDS = 5, 9  # reports a missing server within 15 s
_PROBE = "/api/2.0/mlflow/experiments/search"


def check_server(address: str) -> None:
    """Request something that only an MLflow server answers, once and without retries.

    Raises:
        StoreError: when no MLflow server answers.
    """
    answer = get(address, _PROBE, {"max_results": 1})
    try:
        known = set(answer.json()) <= {"experiments", "next_page_token"}
    except (ValueError, TypeError):
        known = False
    if not answer.ok or not known:
        raise StoreError(
            f"tracking.uri={address} is not an MLflow server: it answers {answer.status_code} "
            f"to {_PROBE}."
        )


def get(address: str, path: str, asked: Mapping[str, Any]) -> requests.Response:
    """Send a GET request and return the response, even if it reports an error.

    Raises:
        StoreError: when the server does not answer or refuses the credentials.
    """
    return _answer("GET", address, path, params=asked)


def post(address: str, path: str, asked: Mapping[str, Any]) -> requests.Response:
    """Send a POST request with a JSON document and return the response.

    Raises:
        StoreError: as for `get`.
    """
    return _answer("POST", address, path, json=dict(asked))


def _answer(method: str, address: str, path: str, **asked: Any) -> requests.Response:
    name, password, token = _credentials()
    host = urlsplit(address).netloc
    try:
        answer = requests.request(
            method,
            f"{address}{path}",
            **asked,
            auth=(name, password) if name and password else None,
            headers={"Authorization": f"Bearer {token}"} if token and not name else {},
            timeout=(_CONNECT_SECONDS, _READ_SECONDS),
            verify=_verification(),
        )
    except requests.exceptions.SSLError as error:
        raise StoreError(
            f"tracking.uri={address}: there is no TLS connection to {host} ({_reason(error)}); "
            "the address of a server without TLS begins with http://."
        ) from error
    except (requests.RequestException, ValueError) as error:
        raise StoreError(
            f"tracking.uri={address}: no MLflow server answers at {host} ({_reason(error)})."
        ) from error
    if answer.status_code == requests.codes.unauthorized:
        fault = "refuses the user name or password" if name else "asks for a user name and password"
        raise StoreError(
            f"tracking.uri={address}: the server {fault}; set {USERNAME} and {PASSWORD}."
        )
    return answer


def _credentials() -> tuple[str | None, str | None, str | None]:
    """Return user name, password and token."""
    name, password = os.environ.get(USERNAME), os.environ.get(PASSWORD)
    if name is None and password is None:
        kept = configparser.ConfigParser()
        kept.read(Path("~/.mlflow/credentials").expanduser())
        name = kept.get("mlflow", "mlflow_tracking_username", fallback=None)
        password = kept.get("mlflow", "mlflow_tracking_password", fallback=None)
    return name, password, os.environ.get(_TOKEN)


def _verification() -> bool | str:
    if os.environ.get("MLFLOW_TRACKING_INSECURE_TLS", "false").lower() in ("true", "1"):
        return False
    return os.environ.get("MLFLOW_TRACKING_SERVER_CERT_PATH") or True


def _reason(error: BaseException) -> str:
    """Return the innermost cause, `Connection refused`, or the error's name."""
    if isinstance(error, requests.Timeout):
        return f"no answer within {_READ_SECONDS} seconds"
    while (inner := error.__cause__ or error.__context__) is not None:
        error = inner
    return (getattr(error, "strerror", "") or type(error).__name__).partition(" (_ssl")[0]
