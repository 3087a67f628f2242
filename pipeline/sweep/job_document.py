"""Encodes a planned job as one override, for Hydra's launchers.

Such a launcher composes the job again in another process or on another machine, where environment
and configuration folders, and so the result, may differ. The planned job is passed instead.
"""

import json
from collections.abc import Mapping, Sequence
from typing import Any
from urllib.parse import quote, unquote

from pipeline.settings import SettingsError

KEY = "sweep.document"


def job_override(values: Mapping[str, Any], overrides: Sequence[str]) -> str:
    """Return the override that passes on a job, percent-encoded against Hydra's grammar."""
    document = json.dumps({"values": dict(values), "overrides": list(overrides)})
    return f"{KEY}={quote(document, safe='')}"


def read_document(document: str | None) -> tuple[dict[str, Any], list[str]]:
    """Return the values and overrides that `job_override` encoded.

    Raises:
        SettingsError: when the job was not planned.
    """
    if document is None:
        raise SettingsError(["hydra/sweeper must be pipeline or optuna: it plans the jobs."])
    job = json.loads(unquote(document))
    return job["values"], job["overrides"]
