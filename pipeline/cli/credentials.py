"""User names and passwords in the addresses of servers: taken when a command starts, kept nowhere.

What is printed, stored with a run or repeated as a command is what is left on the command line.
"""

import os
import re
import sys
from urllib.parse import unquote

from pipeline.settings import SettingsError
from pipeline.settings.mlflow_environment import PASSWORD, URI, USERNAME

_SETTINGS = ("tracking", "to=")  # what words with the address of a server begin with
_CREDENTIALS = re.compile(r"(?<=://)([^/?#\s@:]*)(?::([^/?#\s]*))?@")


def take_credentials() -> None:
    """Move them from the command line and `MLFLOW_TRACKING_URI` to where MLflow reads them.

    Those are `MLFLOW_TRACKING_USERNAME` and `MLFLOW_TRACKING_PASSWORD`, which the processes that
    this one starts inherit.

    Raises:
        SettingsError: when there are several.
    """
    found: set[tuple[str, str]] = set()

    def take(match: re.Match[str]) -> str:
        found.add((unquote(match[1]), unquote(match[2] or "")))
        return ""

    for place, word in enumerate(sys.argv[1:], start=1):
        if word.lstrip("+").startswith(_SETTINGS):
            sys.argv[place] = _CREDENTIALS.sub(take, word)
    if os.environ.get(URI, "").startswith("http"):
        os.environ[URI] = _CREDENTIALS.sub(take, os.environ[URI])
    if len(found) > 1:
        raise SettingsError(["One command takes one user name and password; there are several."])
    for name, password in found:
        os.environ[USERNAME] = name
        os.environ[PASSWORD] = password
