"""User names and passwords in server addresses: read when a command starts, stored nowhere.

They are removed from the command line first, so nothing printed, stored with a run or repeated as a
command contains them.
"""

import os
import re
from collections.abc import Sequence
from urllib.parse import unquote

from pipeline.settings import SettingsError
from pipeline.settings.mlflow_environment import PASSWORD, URI, USERNAME

_SETTINGS = ("tracking", "to=")  # prefixes of arguments that hold a server's address
_CREDENTIALS = re.compile(r"(?<=://)([^/?#\s@:]*)(?::([^/?#\s]*))?@")


def take_credentials(words: Sequence[str]) -> list[str]:
    """Move credentials from arguments and `MLFLOW_TRACKING_URI` to where MLflow reads them.

    MLflow reads `MLFLOW_TRACKING_USERNAME` and `MLFLOW_TRACKING_PASSWORD`. Child processes inherit
    both.

    Returns:
        The arguments without credentials.

    Raises:
        SettingsError: when the addresses have different credentials.
    """
    found: set[tuple[str, str]] = set()

    def take(match: re.Match[str]) -> str:
        found.add((unquote(match[1]), unquote(match[2] or "")))
        return ""

    left = [
        _CREDENTIALS.sub(take, word) if word.lstrip("+").startswith(_SETTINGS) else word
        for word in words
    ]
    if os.environ.get(URI, "").startswith("http"):
        os.environ[URI] = _CREDENTIALS.sub(take, os.environ[URI])
    if len(found) > 1:
        raise SettingsError(["One command takes one user name and password; there are several."])
    for name, password in found:
        os.environ[USERNAME] = name
        os.environ[PASSWORD] = password
    return left
